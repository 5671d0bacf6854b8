"""The constants that statements are made of.  Some stand in the sample's rows; `hidden.py` must know them all."""

from __future__ import annotations

TEXTS = (
    "'x'", "''", "'a'", "'Казань'", "'Москва'", "'Россия'", "'new'", "'paid'", "'delivered'", "'lost'", "'active'",
    "'closed'", "'card'", "'anna.smirnova@example.org'", "'Смирнова'", "'Анна'", "'M'", "'email'", "'login'", "'10'",
)  # fmt: skip
NUMBERS = ("0", "1", "2", "3", "5", "10", "36", "100", "1000", "5000", "12000.50", "20000", "40000", "-1")
TIMES = ("'2025-01-02'", "'2025-03-01 12:00+00'", "'2025-06-15'", "'2025-10-01'", "'2026-01-01'", "'1990-01-01'")
DATES = ("'2025-01-02'", "'2020-06-01'", "'1990-01-01'", "'1980-05-05'")
ADDRESSES = ("'192.0.2.1'", "'10.0.0.1'", "'198.51.100.7'", "'2001:db8::1'")
DOCUMENTS = ("'{}'", '\'{"language": "ru"}\'', "'[]'")
BYTES = ("'\\x00'", "'\\xdeadbeef'", "''")
PATTERNS = ("'%а%'", "'А%'", "'%x'", "'_%'", "'%@example.org'", "'n%'")

BY_TYPE = {
    "text": TEXTS,
    "number": NUMBERS,
    "time": TIMES,
    "date": DATES,
    "inet": ADDRESSES,
    "jsonb": DOCUMENTS,
    "bytea": BYTES,
    "bool": ("true", "false", "NULL"),
}
