"""The date of a mail: RFC 5322 with its obsolete forms, and what is often seen beside them."""

import re
from datetime import datetime, timedelta, timezone

MONTHS = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
ZONES = {"ut": 0, "gmt": 0, "utc": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_CLOCK = r"(\d{1,2})\s*[:.]\s*(\d{1,2})(?:\s*[:.]\s*(\d{1,2}))?(?:\.\d+)?"
_DAY_FIRST = re.compile(
    r"(?:[a-z]+\.?\s*,?\s*)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*\.?[\s,-]+(\d{2,4})[\s,]+" + _CLOCK + r"(?!\d)\s*(.*)",
    re.A | re.S,
)
# As asctime writes it: Sun Apr 27 05:21:15 [zone] 1997
_ASCTIME = re.compile(
    r"(?:[a-z]++\.?\s*,?\s*)?([a-z]{3})[a-z]*\.?\s+(\d{1,2})[\s,]+" + _CLOCK + r"\s+(?:((?:utc|gmt)?\s*[+-]\d\d:?\d\d|[a-z]+)\s+)?(\d{4})(?!\d)\s*(.*)",
    re.A | re.S,
)


def mail_date(text):
    """Seconds since 1970 of the value of a Date field, or None."""
    text = without_comments(text).strip().lower()
    m = _DAY_FIRST.match(text)
    if m:
        day, month, year, hour, minute, second, zone = m.groups()
    else:
        m = _ASCTIME.match(text)
        if not m:
            return None
        month, day, hour, minute, second, zone, year, rest = m.groups()
        zone = zone or rest
    if month not in MONTHS:
        return None
    try:
        # A leap second counts as the one before it, which is of the same day.
        second = 59 if second == "60" else int(second or 0)
        local = datetime(full_year(year), MONTHS[month], int(day), int(hour), int(minute), second, tzinfo=timezone.utc)
        moment = local - zone_offset(zone or "")
    except (ValueError, OverflowError):
        return None
    if local.year < 1900:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)


def without_comments(text):
    """Comments in parentheses, nested too, are white space (RFC 5322, 3.2.2)."""
    out = []
    depth = 0
    for c in text:
        if c == "(":
            depth += 1
        elif c == ")" and depth:
            depth -= 1
        elif not depth:
            out.append(c)
            continue
        out.append(" ")
    return "".join(out)


def full_year(text):
    """RFC 5322, 4.3: two digits up to 49 are of this century, others and three digits of the last."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def zone_offset(text):
    m = re.match(r"(?:utc|gmt)?\s*([+-])(\d\d):?(\d\d)(?!\d)", text, re.A)
    if m:
        return timedelta(hours=int(m.group(2)), minutes=int(m.group(3))) * (-1 if m.group(1) == "-" else 1)
    m = re.match(r"[a-z]+", text, re.A)
    return timedelta(hours=ZONES.get(m.group(), 0) if m else 0)
