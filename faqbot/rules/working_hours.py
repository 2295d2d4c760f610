"""When people can be asked for something: working hours, quiet hours, and the next time after them. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from faqbot.model.group_settings import Hours
from faqbot.rules.schedule import Calendar

START, END = time(9), time(18)
_WEEKDAYS = "一二三四五六日"


def at_work(moment: datetime, calendar: Calendar, quiet: Hours | None = None) -> bool:
    """Whether people are at work, and the group, where it has quiet hours, may be disturbed."""
    now = moment.time()
    return START <= now < END and calendar.is_workday(moment.date()) and not (quiet and quiet.cover(now))


def next_morning(moment: datetime, calendar: Calendar) -> datetime:
    """The next beginning of a working day."""
    day = moment.date() if moment.time() < START else moment.date() + timedelta(days=1)
    while not calendar.is_workday(day):
        day += timedelta(days=1)
    return datetime.combine(day, START, moment.tzinfo)


def after_quiet(moment: datetime, quiet: Hours | None) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into."""
    if quiet is None or not quiet.cover(moment.time()):
        return moment
    end = datetime.combine(moment.date(), quiet.end, moment.tzinfo)
    return end if end > moment else end + timedelta(days=1)


def told(moment: datetime) -> str:
    """`11 月 26 日（周四）9:00`."""
    weekday = _WEEKDAYS[moment.weekday()]
    return f"{moment.month} 月 {moment.day} 日（周{weekday}）{moment.hour}:{moment.minute:02d}"
