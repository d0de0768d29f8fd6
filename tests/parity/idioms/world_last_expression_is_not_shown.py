1 + 1
"text"
print("only this")
