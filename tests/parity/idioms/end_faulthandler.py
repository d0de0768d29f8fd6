import faulthandler

faulthandler.enable()
faulthandler.dump_traceback_later(30)
print("fine")
