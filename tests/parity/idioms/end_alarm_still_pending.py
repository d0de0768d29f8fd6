import signal

signal.alarm(30)
print("earlier than the alarm")
