if True:
	print("indented by a tab")

print("after a form feed")
