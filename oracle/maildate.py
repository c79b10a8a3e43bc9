"""The date of a mail (TEXT.md T11): RFC 5322 with its obsolete forms, and what else programs write."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone

ENGLISH = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# T11.4, a line for each month.
OTHERS = [
    line.split()
    for line in """
ene enero gen gennaio gener ian ianuarie sty styczen stycznia led leden ledna tam tammi tammikuu tammikuuta oca ocak янв январь января ιαν ιανουαριος ιανουαριου
fev fevr fevrier fevereiro lut luty lutego uno unor unora hel helmi helmikuu helmikuuta sub subat фев февр февраль февраля φεβ φεβρουαριος φεβρουαριου
mrz mrt maa maart maaliskuu maaliskuuta maalis bre brezen brezna мар март марта μαρ μαρτιος μαρτιου
abr abril avr avril kwi kwiecien kwietnia dub duben dubna huh huhti huhtikuu huhtikuuta nis nisan апр апрель апреля απρ απριλιος απριλιου
mai maio maj maja mei mag maggio maig kve kveten kvetna tou touko toukokuu toukokuuta маи мая μαι μαιος μαιου
juin giu giugno iun iunie cze czerwiec czerwca cvn cerven cervna kes kesa kesakuu kesakuuta haz haziran июн июнь июня ιουν ιουνιος ιουνιου
juil juillet lug luglio iul iulie lip lipiec lipca cvc cervenec cervence hei heina heinakuu heinakuuta tem temmuz июл июль июля ιουλ ιουλιος ιουλιου
ago agosto agost aout aou sie sierpien sierpnia srp srpen srpna elo elokuu elokuuta agu agustos авг август августа αυγ αυγουστος αυγουστου
set setembro settembre setiembre setembre szept szeptember wrz wrzesien wrzesnia zar zari syy syys syyskuu syyskuuta eyl eylul сен сент сентябрь сентября σεπ σεπτ σεπτεμβριος σεπτεμβριου
okt oktober ott ottobre out outubro paz pazdziernik pazdziernika rij rijen rijna lok loka lokakuu lokakuuta eki ekim окт октябрь октября οκτ οκτωβριος οκτωβριου
noi noiembrie lis listopad listopada listopadu marras marraskuu marraskuuta kas kasim ноя нояб ноябрь ноября νοε νοεμβριος νοεμβριου
dez dezember dezembro dic dicembre diciembre des desember desembre gru grudzien grudnia pro prosinec prosince jou joulu joulukuu joulukuuta ara aralik дек декабрь декабря δεκ δεκεμβριος δεκεμβριου
""".strip().split("\n")
]
BETWEEN = """a alle as at d da de del den der di do g godz h kello kl klo klockan klokken las les of om on ora ore r t u um v г"""
# T11.8: minutes east of UTC.
WORDS = {
    -600: "hst",
    -540: "akst",
    -480: "pst akdt",
    -420: "mst pdt",
    -360: "cst mdt",
    -300: "est cdt",
    -240: "edt",
    -210: "nst",
    -180: "brt",
    -150: "ndt",
    -120: "brst",
    0: "ut utc gmt z wet wez",
    60: "west wesz bst cet met mez",
    120: "cest mest mesz cetdst metdst eet oez sast",
    180: "eest oesz eetdst msk idt",
    240: "msd",
    300: "pkt",
    345: "npt",
    420: "wib",
    480: "wita hkt sgt awst",
    540: "wit jst kst",
    570: "acst",
    600: "aest",
    630: "acdt",
    660: "aedt",
    720: "nzst",
    780: "nzdt",
}
REGIONS = {
    -600: "hawaiian, hawaii aleutian",
    -540: "alaskan, alaska",
    -480: "pacific",
    -420: "mountain, us mountain",
    -360: "central, central america, canada central, mexico",
    -300: "eastern, us eastern, sa pacific",
    -240: "atlantic, sa western",
    -210: "newfoundland",
    -180: "e south america, sa eastern, argentina",
    -120: "mid atlantic",
    -60: "azores, cape verde",
    0: "gmt, greenwich, british, western european",
    60: "w europe, west europe, central europe, central european, romance, w central africa",
    120: "e europe, eastern european, fle, gtb, egypt, south africa, israel, jerusalem",
    180: "russian, moscow, arab, arabic, e africa",
    210: "iran",
    240: "arabian",
    300: "pakistan",
    330: "india",
    345: "nepal",
    420: "se asia",
    480: "china, singapore, taipei, w australia",
    540: "tokyo, japan, korea",
    570: "cen australia",
    600: "e australia, aus eastern",
    720: "new zealand",
}
PHRASES = {
    0: "greenwich mean time, coordinated universal time",
    60: "central european time, mitteleuropaische zeit, mitteleuropaische normalzeit, wet dst",
    120: "mitteleuropaische sommerzeit, met dst, cet dst",
    180: "eet dst",
}
NAMES = {word: minutes for minutes, words in WORDS.items() for word in words.split()}
NAMES.update((phrase, minutes) for minutes, phrases in PHRASES.items() for phrase in phrases.split(", "))
for _minutes, _regions in REGIONS.items():
    for _region in _regions.split(", "):
        NAMES.update({f"{_region} standard time": _minutes, f"{_region} daylight time": _minutes + 60, f"{_region} summer time": _minutes + 60})

# T11.3; possessive, since numbers and words are maximal.
L = r"[^\W\d_]"
SEPARATORS = rf"(?:[\s,./-]|(?:{'|'.join(BETWEEN.split())})(?!{L})\.?+)*+"
WORD = rf"{L}++\.?+"
MONTH = rf"(?P<month>{L}++)\.?+"
DAY = rf"(?P<day>[0-9]{{1,2}}+)(?![0-9])(?:(?:st|nd|rd|th|er|o|a)(?!{L})\.?+)?+"
FULL = r"(?P<year>[0-9]{4})(?![0-9:])"
TWO = r"[0-9]{1,2}+(?![0-9])"
TIME = (
    rf"(?:(?P<six>[0-9]{{6}})(?![0-9])|(?P<hour>{TWO})\s*+[:.h]\s*+(?P<minute>{TWO})(?:\s*+[:.]\s*+(?P<second>{TWO}))?+)(?:[.,][0-9]++)?+"
)
HALF = rf"(?:\s*+(?P<half>[ap])(?:m(?!{L})|(?!{L})\.?+\s*+m(?!{L}))\.?+)"
FORMS = [
    re.compile(form)
    for form in (
        DAY + SEPARATORS + MONTH + SEPARATORS + r"(?P<year>[0-9]{2,4}+)(?![0-9])",
        MONTH + SEPARATORS + DAY + SEPARATORS + FULL,
        FULL + SEPARATORS + rf"(?:{MONTH}|(?P<number>{TWO}))" + SEPARATORS + DAY,
        rf"(?P<first>{TWO})\s*+(?P<sign>[/.-])\s*+(?P<second>{TWO})\s*+(?P=sign)\s*+(?P<year>[0-9]{{2,4}}+)(?![0-9])",
        r"(?P<year>[0-9]{4})(?P<number>[0-9]{2})(?P<day>[0-9]{2})(?![0-9])",
    )
]
ASCTIME = re.compile(MONTH + SEPARATORS + DAY + SEPARATORS + TIME + HALF + "?+")
BEHIND = re.compile(rf"(?:{WORD}{SEPARATORS})?+:?+{SEPARATORS}{TIME}{HALF}?+")
OFFSET = re.compile(r"([+-])\1*+(?:([0-9]{1,2}+)(?![0-9])(?::([0-9]{2})(?![0-9]))?+|([0-9]{1,2})([0-9]{2})(?![0-9]))")


class NoDate(ValueError):
    pass


def mail_date(text):
    """Seconds since 1970 of the value of a Date field, or None."""
    text = plain(text)
    at = after(SEPARATORS, text, 0)
    for _ in range(4):
        for form in [*FORMS, ASCTIME]:
            m = form.match(text, at)
            try:
                if m:
                    return asctime(text, m) if form is ASCTIME else timed(text, m.end(), day_of(m.groupdict()))
            except ValueError:
                continue
        if not re.compile(WORD).match(text, at):
            return None
        at = after(WORD + SEPARATORS, text, at)
    return None


def received_date(text):
    """The date of a Received field: what follows its last semicolon."""
    return mail_date(text.rpartition(";")[2]) if ";" in text else None


def plain(text):
    """T11.2."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    out, depth, at = [], 0, 0
    while at < len(text):
        c = text[at]
        if depth and c == "\\":
            at += 1
        elif c == "(":
            depth += 1
            out.append(" ")
        elif depth:
            depth -= c == ")"
            out.append(" " if not depth else "")
        else:
            out.append({'"': " ", "'": " ", "ł": "l", "Ł": "l", "ı": "i", "–": "-", "−": "-"}.get(c, c.lower()))
        at += 1
    return re.sub("[\u0300-\u036f]", "", "".join(out))


def after(pattern, text, at):
    m = re.compile(pattern).match(text, at)
    return m.end() if m else at


def month_of(name):
    for n, words in enumerate(OTHERS):
        if name in words:
            return n + 1
    if name[:3] in ENGLISH:
        return ENGLISH.index(name[:3]) + 1
    raise NoDate


def year_of(text):
    """Two digits up to 49 are of this century, others and three digits of the last."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def day_of(parts):
    year = parts["year"]
    if parts.get("sign"):
        first, second = int(parts["first"]), int(parts["second"])
        if parts["sign"] != "." and len(year) != 4 and not (len(year) == 2 and (second > 12 or not 1 <= int(year) <= 31)):
            raise NoDate
        if parts["sign"] == "." or first > 12 or first == second:
            return year_of(year), second, first
        if second > 12:
            return year_of(year), first, second
        raise NoDate
    month = month_of(parts["month"]) if parts.get("month") else int(parts["number"])
    return year_of(year), month, int(parts["day"])


def timed(text, at, day):
    at = after(SEPARATORS, text, at)
    if at == len(text):
        return seconds(day, (0, 0, 0), 0)
    m = BEHIND.match(text, at)
    if not m:
        raise NoDate
    zone, at = zone_at(text, m.end())
    half = m["half"]
    if not half:
        late = re.compile(HALF).match(text, at)
        half = late and late["half"]
    return seconds(day, clock_of(m, half), zone)


def asctime(text, m):
    def year(at):
        return re.compile(r"[\s,]*+" + FULL).match(text, at)

    found, zone = year(m.end()), None
    if not found:
        zone, at = zone_at(text, m.end())
        found = year(at)
        if not found:
            raise NoDate
    if zone is None:
        zone, _ = zone_at(text, found.end())
    return seconds((int(found["year"]), month_of(m["month"]), int(m["day"])), clock_of(m, m["half"]), zone)


def clock_of(m, half):
    if m["six"]:
        hour, minute, second = (int(m["six"][i : i + 2]) for i in (0, 2, 4))
    else:
        hour, minute, second = int(m["hour"]), int(m["minute"]), int(m["second"] or 0)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, minute, second


def seconds(day, clock, zone):
    late = clock == (24, 0, 0)
    hour, minute, second = (0, 0, 0) if late else clock
    # A leap second counts as the second before it, which is in the same day.
    try:
        local = datetime(*day, hour, minute, 59 if second == 60 else second, tzinfo=timezone.utc) + timedelta(days=late)
        moment = local - timedelta(seconds=zone)
    except OverflowError as error:
        raise NoDate from error
    if day[0] < 1900:
        raise NoDate
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)


def offset_at(text, at):
    """(seconds, where it ends), or None."""
    m = OFFSET.match(text, at)
    if not m:
        return None
    sign, short, minutes, hours, more = m.groups()
    hours, minutes = int(short or hours), int(minutes or more or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if sign == "-" else 1), m.end()


def zone_at(text, at):
    """(seconds, where it ends)."""
    at = after(rf"(?:[\s,]|(?:uhr|h|hrs|hours)(?!{L})\.?+)*+", text, at)
    if offset := offset_at(text, at):
        return offset
    words = re.compile(WORD)
    ends, names = [], []
    end = at
    while len(names) < 5 and (m := words.match(text, end)):
        names.append(m.group().rstrip("."))
        ends.append(m.end())
        end = after(r"[\s-]*+", text, m.end())
    for n in range(len(names), 0, -1):
        name = " ".join(names[:n])
        if name in NAMES:
            if name in ("utc", "gmt", "ut") and (offset := offset_at(text, after(r"\s*+", text, ends[0]))):
                return offset
            return NAMES[name] * 60, ends[n - 1]
    return offset_at(text, after(r"\s*+", text, ends[0] if ends else at)) or (0, at)
