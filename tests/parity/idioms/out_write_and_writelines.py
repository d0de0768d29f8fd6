import sys

count = sys.stdout.write("abc\n")
sys.stdout.writelines(str(n) + "\n" for n in range(count))
