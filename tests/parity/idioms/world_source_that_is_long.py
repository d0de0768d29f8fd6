values = [
    1,
    2,
]
if values: print("a"); print("b")
while True: break
print(eval("+".join(["1"] * 1000)))
