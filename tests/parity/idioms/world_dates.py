import calendar
import datetime

day = datetime.date(2024, 2, 29)
print(day + datetime.timedelta(days=365), day.strftime("%a %d %B %Y"), day.isocalendar())
print(calendar.month(2024, 2), datetime.datetime.strptime("12:30", "%H:%M").time())
