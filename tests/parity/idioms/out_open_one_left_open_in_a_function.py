def main():
    out = open(1, "w", closefd=False)
    out.write("flushed at the function's end\n")


main()
print("after")
