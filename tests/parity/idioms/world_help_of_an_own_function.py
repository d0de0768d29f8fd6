def area(r):
    """Square of r, times three."""


help(area)
