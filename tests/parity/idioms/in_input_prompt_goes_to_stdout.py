name = input("Name: ")
age = int(input("Age: "))
print(f"{name} is {age}")
