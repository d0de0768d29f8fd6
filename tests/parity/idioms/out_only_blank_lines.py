print()
print("\n")
