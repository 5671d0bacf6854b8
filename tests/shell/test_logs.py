"""Logs are JSON lines without values."""

from __future__ import annotations

import json
import logging
from io import StringIO
from pathlib import Path

import pytest

from proxy.config import LogConfig
from proxy.errors import ConfigError, LoginRefused
from proxy.logs import LogStream, describe, make_logger


def lines(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def made(level: str = "info") -> tuple[LogStream, StringIO]:
    stream, target = LogStream(None), StringIO()
    stream._file = target
    del level
    return stream, target


def test_a_line_is_an_object_with_time_level_and_context() -> None:
    stream, target = made()
    logger = make_logger(LogConfig(), stream, worker=3)
    logger.info("session_began", login="app\n{}")
    logger.debug("not shown")
    (line,) = lines(target)
    assert line["event"] == "session_began" and line["worker"] == 3 and line["level"] == "info"
    assert line["login"] == "app\n{}" and str(line["timestamp"]).endswith("Z")


def test_an_unexpected_exception_is_told_without_its_message() -> None:
    def inner() -> None:
        raise ValueError("4111 1111 1111 1111")

    try:
        inner()
    except ValueError as error:
        told = json.dumps(describe(error))
    assert "ValueError" in told and "inner" in told and "4111" not in told
    assert describe(LoginRefused("no"))["message"] == "no"


def test_library_messages_come_without_their_arguments() -> None:
    stream, target = made()
    make_logger(LogConfig(), stream)
    logging.getLogger("aiohttp").error("request %s failed", "/secret")
    try:
        raise OSError("secret")
    except OSError:
        logging.getLogger("asyncio").exception("broken %r", "secret")
    assert "secret" not in target.getvalue()
    assert [line["template"] for line in lines(target)] == ["request %s failed", "broken %r"]


def test_a_file_is_appended_to_and_opened_again_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log"
    stream = LogStream(path)
    logger = make_logger(LogConfig(), stream)
    logger.info("one")
    path.rename(tmp_path / "log.1")
    stream.reopen()
    logger.info("two")
    assert "one" in (tmp_path / "log.1").read_text() and "two" in path.read_text()
    with pytest.raises(ConfigError, match="log file"):
        LogStream(tmp_path / "no" / "log")


def test_a_full_disk_ends_nobodys_session() -> None:
    stream = LogStream(Path("/dev/full"))
    make_logger(LogConfig(), stream).error("anything")
    stream.flush()
