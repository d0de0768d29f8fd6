from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

try:
    ZoneInfo("No/Where")
except ZoneInfoNotFoundError as error:
    print(error)
