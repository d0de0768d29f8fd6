print(sum(eval(input())))
