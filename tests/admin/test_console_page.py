"""The page at /: loads nothing from elsewhere, runs nothing that stands in it, and shows nothing without a login."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.support.admin_port import Port, running_port

FILES = {"/": "text/html", "/console/overview.css": "text/css", "/console/overview.js": "text/javascript"}


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    async with running_port() as made:
        yield made


@pytest.mark.parametrize(("path", "kind"), FILES.items())
async def test_the_browser_may_load_three_files_of_ours(port: Port, path: str, kind: str) -> None:
    said = await port.ask("GET", path)
    assert said.status == 200 and said.headers["Content-Type"] == f"{kind}; charset=utf-8"
    policy = said.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert said.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"https?://|//[a-z]", re.sub(r"^\s*//.*$", "", said.text, flags=re.MULTILINE))
    references = re.findall(r'(?:src|href)="([^"]+)"', said.text)
    assert all(reference in FILES for reference in references)


async def test_the_page_has_no_script_style_or_handler_in_it(port: Port) -> None:
    page = (await port.ask("GET", "/")).text
    assert not re.search(r"<style|\son[a-z]+=|style=|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page) == [""]


async def test_the_script_keeps_the_token_nowhere_and_writes_no_markup(port: Port) -> None:
    script = (await port.ask("GET", "/console/overview.js")).text
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
        assert dangerous not in script
    for kept in ("localStorage", "sessionStorage", "document.cookie", "indexedDB", "location", "history"):
        assert kept not in script
