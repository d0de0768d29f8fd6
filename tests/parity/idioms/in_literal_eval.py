import ast

print(ast.literal_eval(input())["a"])
