"""Working hours and quiet hours: tells the next time at which people may be contacted. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from faqbot.model.group_settings import Hours
from faqbot.rules.schedule import Calendar

START, END = time(9), time(18)
_WEEKDAYS = "一二三四五六日"


def is_working_time(moment: datetime, calendar: Calendar, quiet: Hours | None = None) -> bool:
    """Return True in working hours of a working day, outside the group's quiet hours, if it has any."""
    now = moment.time()
    return START <= now < END and calendar.is_workday(moment.date()) and not (quiet and quiet.cover(now))


def next_working_morning(moment: datetime, calendar: Calendar) -> datetime:
    """Return the next beginning of a working day."""
    day = moment.date() if moment.time() < START else moment.date() + timedelta(days=1)
    while not calendar.is_workday(day):
        day += timedelta(days=1)
    return datetime.combine(day, START, moment.tzinfo)


def after_quiet_hours(moment: datetime, quiet: Hours | None) -> datetime:
    """Return the end of the quiet hours that the moment falls into, else the moment itself."""
    if quiet is None or not quiet.cover(moment.time()):
        return moment
    end = datetime.combine(moment.date(), quiet.end, moment.tzinfo)
    return end if end > moment else end + timedelta(days=1)


def format_moment(moment: datetime) -> str:
    """Return the moment for people: `11 月 26 日（周四）9:00`."""
    weekday = _WEEKDAYS[moment.weekday()]
    return f"{moment.month} 月 {moment.day} 日（周{weekday}）{moment.hour}:{moment.minute:02d}"
