print("never printed")
return
