print("\ufeffmarked")
