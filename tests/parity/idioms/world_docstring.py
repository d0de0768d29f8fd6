"""What the program is for."""

print(__doc__)
