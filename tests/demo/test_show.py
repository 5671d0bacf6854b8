"""What the demo's table says at a glance, and the line by which one connects."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from proxy.demo.show import QUESTIONS, RAW, Answer, Door, Exhibition, show_connections


def shown(answers: dict[str, Answer]) -> str:
    out = io.StringIO()
    exhibition = Exhibition([answers, *({viewer: Answer() for viewer in answers} for _ in QUESTIONS[1:])])
    exhibition.show(Console(file=out, width=150))
    return out.getvalue()


ANSWERS = {
    RAW: Answer({"surname": bytes.fromhex("f967010111") + b"x" * 60, "email": b"y" * 80, "city": "Казань"}),
    "management": Answer({"surname": "Смирнова", "email": "anna@example.org", "city": "Казань"}),
    "support": Answer({"surname": "Смирнова", "email": "anna@example.org", "city": None}),
    "accounting": Answer(refusal="permission denied for [field] email"),
}


def row(text: str, column: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.lstrip("│ ").startswith(column))
    return [cell.strip() for cell in line.strip("│┃").split("│")]


def test_ciphertext_plaintext_hidden_and_refused_stand_side_by_side() -> None:
    text = shown(ANSWERS)
    assert row(text, "surname") == ["surname", r"\xf9670101117878… 65 bytes", "Смирнова", "Смирнова", "refused"]
    assert row(text, "city") == ["city", "Казань", "Казань", "hidden", "refused"]


def test_the_reason_of_a_refusal_is_told() -> None:
    assert "accounting: permission denied for [field] email" in shown(ANSWERS)


def test_an_empty_field_is_not_called_hidden() -> None:
    nothing = {viewer: Answer({"surname": None}) for viewer in ANSWERS}
    assert row(shown(nothing), "surname") == ["surname", "NULL", "NULL", "NULL", "NULL"]


def test_no_row_is_no_row() -> None:
    assert row(shown({**ANSWERS, RAW: Answer()}), "surname")[1] == "no row"


def test_lines_to_copy_are_whole() -> None:
    out = io.StringIO()
    ca = Path("/somewhere/rather/long") / ("folder" * 20) / "ca.crt"
    show_connections(Console(file=out, width=60), Door("localhost", 6543, ca), Door("127.0.0.1", 5433), ca, ["support"])
    line = next(line for line in out.getvalue().splitlines() if "user=support" in line)
    assert line.strip() == (
        f'psql "host=localhost port=6543 dbname=shop user=support password=demo sslmode=verify-full sslrootcert={ca}"'
    )
