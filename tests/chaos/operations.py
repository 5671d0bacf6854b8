"""Operations over keys, asked for at the proxies' admin ports, by whichever of them answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from .house import House

ENDED = ("done", "failed", "cancelled")


class Refused(Exception):
    """By the admin port, and not because it could not be reached."""


@dataclass(slots=True)
class Desk:
    """A person's.  `asked` holds the ids of all operations, with what they are about."""

    house: House
    asked: dict[str, str] = field(default_factory=dict)

    async def ask(self, path: str) -> str | None:
        """Asks once, however often it is said.  None: what it needs is being worked on by another operation."""
        status, body = await self._say("POST", path, uuid4().hex)
        if status == 409 and body.get("type", "").endswith("busy"):
            return None
        if status != 202:
            raise Refused(f"{path}: {status} {body}")
        self.asked[body["operation_id"]] = path
        return str(body["operation_id"])

    async def look(self, operation_id: str) -> dict[str, Any]:
        status, body = await self._say("GET", f"operations/{operation_id}", None)
        if status != 200:
            raise Refused(f"operations: {status} {body}")
        return body

    async def unfinished(self) -> list[dict[str, Any]]:
        found = [await self.look(each) for each in self.asked]
        return [each for each in found if each["state"] not in ENDED]

    async def ended(self, *operation_ids: str) -> list[dict[str, Any]]:
        while True:
            found = [await self.look(each) for each in operation_ids]
            if all(each["state"] in ENDED for each in found):
                return found
            await asyncio.sleep(0.1)

    async def _say(self, method: str, path: str, key: str | None) -> tuple[int, dict[str, Any]]:
        """Again and elsewhere, until somebody has answered who could."""
        headers = {"Authorization": f"Bearer {self.house.token}", **({"Idempotency-Key": key} if key else {})}
        while True:
            for proxy in self.house.proxies:
                if proxy.stopped or not proxy.running:
                    continue
                with suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    url = f"http://127.0.0.1:{proxy.admin_port}/v1/{path}"
                    async with (
                        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                        http.request(method, url, headers=headers) as answer,
                    ):
                        if answer.status < 500:
                            return answer.status, await answer.json(content_type=None)
            await asyncio.sleep(0.1)


def of_field(name: str, what: str) -> str:
    return f"fields/shop/{name}/{what}"
