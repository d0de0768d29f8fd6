import sys

sys.stdout = None
sys.__stdout__.write("written to the original\n")
