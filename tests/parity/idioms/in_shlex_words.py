import shlex

print(shlex.split(input()))
