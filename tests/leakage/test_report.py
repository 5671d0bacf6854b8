"""The report in its three forms; fields of low entropy stand out in each."""

from __future__ import annotations

import json

from policies.leakage.profile import profiles
from policies.loader import SHOP, load_policy
from proxy.leakage.measure import Measured
from proxy.leakage.text import data, markdown, plain

REPORT = profiles(load_policy(SHOP).data_map)
NUMBERS = {
    "public.customers.email": Measured(2000, 2000, 2000, 1),
    "public.customers.name": Measured(2000, 2000, 12, 400),
    "public.customers.phone": Measured(5, 5, 1, 5),
    "public.customers.surname": Measured(unavailable="not sealed in this database yet"),
}


def test_numbers() -> None:
    assert (NUMBERS["public.customers.email"].low, NUMBERS["public.customers.name"].low) == (False, True)
    assert not NUMBERS["public.customers.phone"].low
    assert round(NUMBERS["public.customers.name"].bits, 2) == 2.32


def test_text_names_each_sealed_field_and_flags_what_is_low() -> None:
    text = "\n".join(plain(REPORT, NUMBERS))
    for profile in REPORT:
        assert profile.field in text
    [low] = [line for line in text.splitlines() if "LOW ENTROPY" in line]
    assert "12 different among 2,000 values, the most frequent in 20.0%, min-entropy 2.3 bits" in low
    assert "too few values to judge" in text
    assert "not measured: not sealed in this database yet" in text


def test_markdown_is_one_table() -> None:
    lines = [line for line in markdown(REPORT, NUMBERS) if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert len(lines) == 2 + sum(profile.mode != "plain" for profile in REPORT)


def test_for_programs() -> None:
    found = json.loads(json.dumps(data(REPORT, NUMBERS)))
    by_name = {field["field"]: field for field in found["fields"]}
    assert by_name["public.customers.name"]["measured"]["low"]
    assert by_name["public.customers.surname"]["measured"] == {"unavailable": "not sealed in this database yet"}
    assert by_name["public.customers.city"]["measured"] is None
