import datetime
from zoneinfo import ZoneInfo

print(datetime.datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")).utcoffset())
