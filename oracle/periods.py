"""Periods of time as SEARCH.md S2.6 names them, and their bounds for a moment and a zone.

A period is parsed without a clock (so that a relative one stays relative) and becomes seconds only where a search runs.
"""

import re
import zoneinfo
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

NAMES = ("today", "yesterday") + tuple(f"{which}-{unit}" for which in ("this", "last") for unit in ("week", "month", "year"))
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d))?)?)?", re.A)
_AGO = re.compile(r"(\d{1,5})([dwmy])", re.A | re.I)
_STOPS = re.compile(r"(?:(\d{1,2})\.)?(\d{1,2})\.(\d{4})", re.A)


class Span(NamedTuple):
    """Seconds since 1970: the first of a period, and the first after it."""

    start: float
    last: float


def parse_period(text):
    """('name', text), ('ago', (days, months)) or ('date', numbers); ValueError for anything else."""
    name = text.strip().lower().replace(" ", "-").replace("_", "-")
    if name in NAMES:
        return "name", name
    m = _AGO.fullmatch(text)
    if m:
        count = int(m.group(1))
        return "ago", {"d": (count, 0), "w": (7 * count, 0), "m": (0, count), "y": (0, 12 * count)}[m.group(2).lower()]
    m = _STOPS.fullmatch(text)
    if m:
        day, month, year = m.groups()
        numbers = (int(year), int(month)) + ((int(day),) if day else ())
        datetime(*(numbers + (1,))[:3])
        return "date", numbers
    m = _DATE.fullmatch(text)
    if not m:
        raise ValueError(text)
    numbers = tuple(int(n) for n in m.groups() if n is not None)
    datetime(*(numbers + (1, 1))[: max(3, len(numbers))])  # months have their days
    return "date", numbers


def parse_range(text):
    """A period, or two with `..` between them: (from, to). `7d` alone has no end."""
    first, dots, last = text.partition("..")
    first = parse_period(first)
    if dots:
        return first, parse_period(last)
    return first, None if first[0] == "ago" else first


def zone_of(name):
    """A zone by its IANA name or as +02:00; ValueError for anything else."""
    m = re.fullmatch(r"([+-])(\d\d):(\d\d)", name, re.A)
    if m:
        hours, minutes = int(m.group(2)), int(m.group(3))
        if hours > 23 or minutes > 59:
            raise ValueError(name)
        return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if m.group(1) == "-" else 1))
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error


def seconds(local, zone):
    """The instant of a local time; the first one if the clock shows it twice; the moment of the jump if the clock skips it."""
    return (local.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()


def span(period, now, zone):
    """The bounds of a parsed period; `now` in seconds."""
    kind, value = period
    today = datetime.fromtimestamp(now, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    if kind == "ago":
        days, months = value
        begin = months_before(today, months) - days * day
        return Span(seconds(begin, zone), seconds(begin + day, zone))
    if kind == "date":
        begin = datetime(*(value + (1, 1))[: max(3, len(value))])
        size = ("year", "month", "day", None, "minute")[len(value) - 1]
    else:
        which, _, size = value.partition("-")
        begin, size = (today, "day") if not size else (first_of(today, size), size)
        if which in ("yesterday", "last"):
            begin = first_of(begin - day, size)
    return Span(seconds(begin, zone), seconds(behind(begin, size), zone))


def months_before(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 27, -1) if day.day > 28 else (day.day,):
        try:
            return day.replace(year=year, month=month + 1, day=last)
        except ValueError:
            continue
    raise OverflowError(months)


def first_of(day, size):
    if size == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(**{"year": {"month": 1, "day": 1}, "month": {"day": 1}}.get(size, {}))


def behind(begin, size):
    """The first local time after the year, month ... that begins at `begin`."""
    if size == "year":
        return begin.replace(year=begin.year + 1)
    if size == "month":
        return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin + {"week": timedelta(days=7), "day": timedelta(days=1), "minute": timedelta(minutes=1)}[size]


def range_bounds(first, last, now, zone):
    """(first second, first second after) of a range; either period may be None."""
    return (
        span(first, now, zone).start if first else float("-inf"),
        span(last, now, zone).last if last else float("inf"),
    )
