"""The page at /: three files of ours, nothing from elsewhere, and a policy that lets the browser load nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_FILES = {
    "/": ("overview.html", "text/html"),
    "/console/overview.css": ("overview.css", "text/css"),
    "/console/overview.js": ("overview.js", "text/javascript"),
}


def add_page(app: web.Application) -> None:
    for path, (name, kind) in _FILES.items():
        app.router.add_get(path, _handler((files("proxy.admin") / "console" / name).read_bytes(), kind))


def _handler(body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(_request: web.Request) -> web.Response:
        headers = {"Content-Type": f"{kind}; charset=utf-8", "Content-Security-Policy": _POLICY}
        return web.Response(body=body, headers=headers)

    return handle
