"""What the README shows is what one gets."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from .stage import Stage

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SHOWN = re.search(
    r"^shop=> (?P<statement>.+;)\nERROR:  (?P<error>.+)\nDETAIL:  (?P<detail>.+)\n```$", README, re.MULTILINE
)


def test_the_refusal_that_the_readme_shows(stage: Stage) -> None:
    assert SHOWN is not None
    with stage.connect("support") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        connection.execute(SHOWN["statement"])
    assert (refused.value.diag.message_primary, refused.value.diag.message_detail) == (SHOWN["error"], SHOWN["detail"])
