"""The forms of dates and times that are read, as regular expressions over ASCII text; `datetime_input` interprets them.

Each form is one that PostgreSQL's ParseDateTime and DecodeDateTime take in this very way: where a weekday, a `T` or a
zone may stand differs between them, because there words that touch each other are one word.
"""

from __future__ import annotations

import re

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = (
    r"(?:(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
    r"(?:,\s*|\s+))?"
)
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>am|pm))?"
)
_TIME_RUN = r"(?P<run_hour>\d\d)(?P<run_minute>\d\d)(?:(?P<run_second>\d\d)(?:\.(?P<run_fraction>\d+))?)?"
# Letters that touch each other, or a sign that touches letters, are another word to PostgreSQL.
_ZONE = (
    r"(?:\s*(?<![a-z])(?P<offset>[+-](?:\d{1,2}(?::\d{1,2}(?::\d{1,2})?)?|\d{3,4}))"
    r"|\s*(?<![a-z])(?P<utc>z|zulu|utc|gmt)"
    r"|\s+(?P<zone>[a-z_]+(?:/[a-z0-9_+-]+)+))?"
)
_ERA = r"(?:\s+(?P<{}>bc|ad))?"
_NUMERIC = (
    r"(?:(?P<y1>\d{3,9})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})"  # 1999-01-08
    r"|(?P<a>\d{1,2})(?P<s2>[-/.])(?P<b>\d{1,2})(?P=s2)(?P<c>\d{1,9})"  # 8.1.1999, in the order of DateStyle
    r"|(?P<run>\d{8}|\d{6}))"  # 19990108
)
_NAMED = (
    rf"(?:(?P<n1>\d{{1,9}})(?P<s3>[-/.])(?P<t1>{_MONTH})(?P=s3)(?P<n2>\d{{1,9}})"  # 8-Jan-1999
    rf"|(?P<t2>{_MONTH})(?P<s4>[-/.])(?P<n3>\d{{1,9}})(?P=s4)(?P<n4>\d{{1,9}}))"  # Jan-08-1999
)
_SPACED = (
    rf"(?:(?P<d5>\d{{1,2}})\s+(?P<t5>{_MONTH}),?\s+(?P<y5>\d{{4}})"  # 8 January 1999
    rf"|(?P<t6>{_MONTH})\s+(?P<d6>\d{{1,2}})(?:,\s*|\s+)(?P<y6>\d{{4}}))"  # January 8, 1999
)
_CLOCK = rf"(?:{_TIME}|{_TIME_RUN}){_ZONE}"
_ERA_2 = _ERA.format("era2")
_FLAGS = re.ASCII | re.IGNORECASE
FORMS = (
    re.compile(rf"(?:{_NUMERIC}|{_NAMED}|{_WEEKDAY}{_SPACED}){_ERA.format('era1')}(?:\s+{_CLOCK})?{_ERA_2}", _FLAGS),
    re.compile(rf"{_NUMERIC}t{_CLOCK}{_ERA_2}", _FLAGS),
    # Sat Jan 08 04:05:06.789 1999 PST: how DateStyle Postgres writes it
    re.compile(
        rf"{_WEEKDAY}(?:(?P<t7>{_MONTH})\s+(?P<d7>\d{{1,2}})|(?P<d8>\d{{1,2}})\s+(?P<t8>{_MONTH}))"
        rf"\s+{_TIME}\s+(?P<y7>\d{{4,6}}){_ZONE}{_ERA_2}",
        _FLAGS,
    ),
)
# What drivers send, once more and by itself, for speed.
USUAL = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
