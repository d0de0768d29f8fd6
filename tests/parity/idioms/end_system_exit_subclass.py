class Done(SystemExit):
    def __init__(self, value):
        super().__init__(0)
        print("done with", value)


raise Done(3)
