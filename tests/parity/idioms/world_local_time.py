import time

print(time.tzname, time.localtime(0).tm_hour, time.strftime("%Y", time.gmtime(0)), time.timezone)
