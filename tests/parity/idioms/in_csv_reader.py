import csv
import sys

print(list(csv.reader(sys.stdin)))
