"""e164.1: what people write becomes + and digits, and nothing else ever becomes what somebody wrote."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.normalisers.numbering import PLANS
from keys.normalisers.phone import e164

VECTORS = Path(__file__).parents[2] / "vectors" / "phone-numbers.csv"

regions = st.sampled_from(sorted(PLANS))
digits = st.text("0123456789", max_size=18)
written = st.text("+0123456789 -()/.x", max_size=20) | st.text(max_size=8) | digits | digits.map("+".__add__)


def test_every_region_reads_its_example_numbers() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["region"] for row in rows} <= set(PLANS)
    assert len(rows) > 900
    assert [row for row in rows if e164(row["written"], PLANS[row["region"]]) != row["e164"]] == []
    assert [row for row in rows if e164(row["e164"], PLANS[row["region"]]) != row["e164"]] == []


@pytest.mark.parametrize(
    "text",
    ["+7 912 345-67-89", "8 (912) 345-67-89", "89123456789", "79123456789", "9123456789", " +7.912.345.67.89 ",
     "8\u00a0912\u2011345\u201367/89", "810 7 912 345 67 89", "+7 8 912 345 67 89", "(+7) 9123456789"],
)  # fmt: skip
def test_one_number_written_in_many_ways(text: str) -> None:
    assert e164(text, PLANS["RU"]) == "+79123456789"


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        ("DE", "030 1234567", "+49301234567"),
        ("DE", "+49 (0)30 1234567", "+49301234567"),
        ("DE", "0049 30 1234567", "+49301234567"),
        ("DE", "+39 06 1234567", "+39061234567"),  # another country's number keeps its zero
        ("IT", "06 1234567", "+39061234567"),  # and so does Italy's own
        ("US", "(212) 555-0100", "+12125550100"),
        ("US", "1-212-555-0100", "+12125550100"),
        ("US", "011 49 30 1234567", "+49301234567"),
        ("HU", "06 1 234 5678", "+3612345678"),
    ],
)
def test_numbers_are_read_as_they_are_dialled_in_the_region(region: str, text: str, number: str) -> None:
    assert e164(text, PLANS[region]) == number


@pytest.mark.parametrize(
    "text",
    ["", "+", "unknown", "112", "8 912 345-67-89 ext. 5", "+7 912 345", "+0 123 456 789", "++79123456789",
     "9123456789+",     "٩١٢٣٤٥٦٧٨٩", "+1234567890123456", "8-800-FLOWERS", "７９１２３４５６７８９", "9123456789\n"],
)  # fmt: skip
def test_what_is_no_number_stays_as_it_is(text: str) -> None:
    assert e164(text, PLANS["RU"]) == text


@given(regions, written)
def test_it_is_total_and_idempotent_so_that_no_other_text_is_taken_for_a_number(region: str, text: str) -> None:
    plan = PLANS[region]
    done = e164(text, plan)
    assert done == text or (done[0] == "+" and done[1:].isdigit())
    assert e164(done, plan) == done


@given(regions, st.data())
def test_every_national_number_is_found_with_its_code_and_its_trunk_prefix(region: str, data: st.DataObject) -> None:
    plan = PLANS[region]
    length = data.draw(st.sampled_from(sorted(plan.lengths)))
    national = data.draw(st.text("123456789", min_size=length, max_size=length))
    number = f"+{plan.country}{national}"
    assert e164(number, plan) == number
    if not plan.trunk or national.startswith(plan.trunk):
        return
    dialled = plan.trunk + national
    if not (plan.international and dialled.startswith(plan.international)) and len(dialled) not in plan.lengths:
        assert e164(dialled, plan) == number
