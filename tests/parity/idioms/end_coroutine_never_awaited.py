async def never():
    pass


never()
print("only a warning")
