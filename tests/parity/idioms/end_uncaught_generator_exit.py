print("before")
raise GeneratorExit
