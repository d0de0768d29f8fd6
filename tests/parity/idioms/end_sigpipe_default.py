import signal

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
print("piped")
