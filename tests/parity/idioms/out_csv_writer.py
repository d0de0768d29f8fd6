import csv
import sys

csv.writer(sys.stdout).writerows([[1, "a,b"], ["x", 'say "hi"']])
