def sums():
    return []
