print("never printed")
  print("x")
