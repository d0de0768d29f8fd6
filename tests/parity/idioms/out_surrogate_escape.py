print("\udcff byte")
