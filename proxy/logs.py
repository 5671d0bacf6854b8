"""Structured logs: one JSON object a line, names and numbers only.

Contract: no value of a client or of a row, no key, no parameter and no statement text is ever handed to a logger.  An
unexpected exception is logged by its type and where it was raised, without its message, which might quote data.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import structlog

from proxy.config import LogConfig
from proxy.errors import ConfigError, FieldgateError

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Logger = Any  # structlog's bound loggers are typed only for their own configuration


class LogStream:
    """Where lines go; can be opened again after its file was rotated."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO = sys.stderr
        self.reopen()

    def reopen(self) -> None:
        if self._path is None:
            return
        try:
            fresh = self._path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise ConfigError(f"{self._path}: the log file cannot be opened: {error.strerror}") from None
        if self._file is not sys.stderr:
            self._file.close()
        self._file = fresh

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return 0  # a full disk must not end anyone's session

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            pass


def make_logger(config: LogConfig, stream: LogStream, **context: object) -> Logger:
    """A logger of our own; the standard library's (aiohttp, asyncio) is led into it."""
    level = _LEVELS[config.level]
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),  # type: ignore[arg-type]
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    ).bind(**context)
    root = logging.getLogger()
    root.handlers[:] = [_Bridge(logger)]
    root.setLevel(max(level, logging.WARNING))
    return logger


class _Bridge(logging.Handler):
    """Library messages by logger and place only: their arguments might quote data."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        cause = describe(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        message = record.msg if isinstance(record.msg, str) else ""  # the template, without its arguments
        self._logger.log(record.levelno, "library", logger=record.name, template=message, line=record.lineno, **cause)


def describe(error: BaseException) -> dict[str, object]:
    """An exception for the log: our own say what they mean; others only their type and where."""
    if isinstance(error, FieldgateError):
        return {"error": type(error).__name__, "sqlstate": str(error.sqlstate), "message": error.message}
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "where": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
