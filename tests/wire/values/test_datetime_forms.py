"""The quick form is a shortcut, not another meaning."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ValueRejected
from proxy.wire.values import datetime_input
from proxy.wire.values.datetime_forms import FORMS, USUAL
from proxy.wire.values.datetime_input import Moment, Special, parse_moment
from proxy.wire.values.settings import DateOrder

NEVER = re.compile(r"(?!)")


def read(text: str, order: DateOrder) -> Moment | Special | str:
    try:
        return parse_moment(text.encode(), order, "timestamp")
    except ValueRejected as error:
        return str(error.sqlstate)


@given(st.from_regex(USUAL, fullmatch=True), st.sampled_from(list(DateOrder)))
def test_what_the_quick_form_takes_the_others_take_alike(text: str, order: DateOrder) -> None:
    quick = read(text, order)
    usual = datetime_input.USUAL
    try:
        datetime_input.USUAL = NEVER
        assert read(text, order) == quick
    finally:
        datetime_input.USUAL = usual
    assert any(form.fullmatch(text) for form in FORMS)
