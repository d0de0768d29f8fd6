with open("/dev/stdout", "a") as out:
    out.write("by name\n")
