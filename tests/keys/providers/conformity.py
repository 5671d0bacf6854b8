"""What every KekProvider does.  Each provider's test file inherits these tests and runs them against the real thing."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable

import psutil
import pytest

from keys.errors import CryptoError, KeyringLocked, ProviderRefused
from keys.primitives import random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping
from keys.providers.blob import Kind, build

CONTEXT = b"\x00\x00\x00\x04term\x00\x00\x00\x04shop"


class Real(ABC):
    """One real holder with one KEK, made for one test."""

    kind: Kind
    provider: KekProvider  # open
    secrets: tuple[str, ...]  # none of which may be seen anywhere

    @abstractmethod
    def another_door(self) -> KekProvider:
        """A second provider of the same KEK, not open."""

    @abstractmethod
    def another_kek(self) -> KekProvider:
        """A provider of another KEK of the same kind, not open."""

    @abstractmethod
    async def remove_key(self) -> None:
        """Deletes or disables the KEK behind the provider's back."""

    def requests(self) -> int | None:
        """How many requests have reached the holder, where it can be counted."""
        return None


def items(count: int) -> list[Wrapping]:
    return [Wrapping(random_bytes(32), CONTEXT + number.to_bytes(4, "big")) for number in range(count)]


def wrapped(blobs: list[bytes], of: list[Wrapping]) -> list[Wrapped]:
    return [Wrapped(blob, item.context) for blob, item in zip(blobs, of, strict=True)]


class Conformity:
    most = 1000  # keys at once
    foreign: tuple[type[CryptoError], ...] = (KeyringLocked,)  # what another KEK's blob, or a broken one, is answered

    @pytest.mark.parametrize("count", [1, 100, 1000])
    async def test_what_is_wrapped_is_unwrapped_in_order(self, real: Real, count: int) -> None:
        count = min(count, self.most)
        made = items(count)
        before = real.requests()
        blobs = await real.provider.wrap(made)
        assert len(set(blobs)) == count
        assert await real.provider.unwrap(wrapped(blobs, made)) == [item.material for item in made]
        assert not any(item.material in blob for item, blob in zip(made, blobs, strict=True))
        if before is not None and (now := real.requests()) is not None:
            assert now - before <= self.requests_for(count), "a batch is not one request for each key"

    def requests_for(self, count: int) -> int:
        """At most, to wrap and unwrap so many keys."""
        return 2

    async def test_nothing_is_asked_for_nothing(self, real: Real) -> None:
        before = real.requests()
        assert await real.provider.wrap([]) == await real.provider.unwrap([]) == await real.provider.rewrap([]) == []
        assert real.requests() == before

    async def test_the_same_key_is_never_wrapped_the_same(self, real: Real) -> None:
        item = Wrapping(random_bytes(32), CONTEXT)
        one, two = await real.provider.wrap([item, item])
        [three] = await real.provider.wrap([item])
        assert len({one, two, three}) == 3

    @pytest.mark.parametrize("size", [1, 16, 64, 1024])
    async def test_keys_of_other_sizes(self, real: Real, size: int) -> None:
        item = Wrapping(random_bytes(size), b"x" * 4096)
        [blob] = await real.provider.wrap([item])
        assert await real.provider.unwrap([Wrapped(blob, item.context)]) == [item.material]
        assert await real.provider.rewrap([Wrapped(blob, item.context)]) != [blob]

    @pytest.mark.parametrize("other", [CONTEXT[:-1], CONTEXT + b"\0", b"\0", b"term" + CONTEXT], ids=range(4))
    async def test_another_context_does_not_unwrap(self, real: Real, other: bytes) -> None:
        [blob] = await real.provider.wrap([Wrapping(random_bytes(32), CONTEXT)])
        for call in (real.provider.unwrap, real.provider.rewrap):
            with pytest.raises(KeyringLocked):
                await call([Wrapped(blob, other)])

    async def test_two_keys_cannot_change_places(self, real: Real) -> None:
        made = items(2)
        blobs = await real.provider.wrap(made)
        with pytest.raises(KeyringLocked):
            await real.provider.unwrap(wrapped(blobs[::-1], made))

    async def test_no_changed_byte_unwraps(self, real: Real) -> None:
        item = Wrapping(random_bytes(32), CONTEXT)
        [blob] = await real.provider.wrap([item])
        size = len(blob)
        for position in sorted({*range(9), size // 3, size // 2, size - 17, size - 16, size - 2}):
            changed = blob[:position] + bytes([blob[position] ^ 0x01]) + blob[position + 1 :]
            with pytest.raises(self.foreign):
                await real.provider.unwrap([Wrapped(changed, CONTEXT)])

    async def test_no_other_length_unwraps(self, real: Real) -> None:
        [blob] = await real.provider.wrap([Wrapping(random_bytes(32), CONTEXT)])
        others = [b"", blob[:1], blob[:5], blob[:8], blob[: len(blob) // 2], blob[:-4], blob + b"AAAA", b"\0" * 99999]
        for other in others:
            with pytest.raises(self.foreign):
                await real.provider.unwrap([Wrapped(other, CONTEXT)])

    async def test_a_rotten_key_spoils_the_whole_list_and_only_it(self, real: Real) -> None:
        made = items(5)
        good = wrapped(await real.provider.wrap(made), made)
        rotten = Wrapped(good[2].blob, b"another")
        for call in (real.provider.unwrap, real.provider.rewrap):
            with pytest.raises(KeyringLocked):
                await call([*good[:2], rotten, *good[3:]])
        assert await real.provider.unwrap(good) == [item.material for item in made]

    async def test_a_foreign_blob_is_recognised_unsent(self, real: Real) -> None:
        before = real.requests()
        for kind in Kind:
            foreign = build(kind, "1", b"x" * 60)
            if kind is not real.kind:
                with pytest.raises(KeyringLocked, match=kind.label):
                    await real.provider.unwrap([Wrapped(foreign, CONTEXT)])
                with pytest.raises(KeyringLocked, match=kind.label):
                    real.provider.version_of(foreign)
        assert real.requests() == before

    async def test_another_kek_does_not_unwrap(self, real: Real) -> None:
        [blob] = await real.provider.wrap([Wrapping(random_bytes(32), CONTEXT)])
        other = real.another_kek()
        await other.open()
        try:
            for call in (other.unwrap, other.rewrap):
                with pytest.raises(self.foreign):
                    await call([Wrapped(blob, CONTEXT)])
        finally:
            await other.close()

    async def test_an_older_version_still_unwraps_and_rewrap_makes_the_newest(self, real: Real) -> None:
        provider, made = real.provider, items(3)
        first = await provider.version()
        old = wrapped(await provider.wrap(made), made)
        assert {provider.version_of(item.blob) for item in old} == {first}
        second = await provider.rotate()
        assert second != first and await provider.version() == second
        assert await provider.unwrap(old) == [item.material for item in made]
        new = wrapped(await provider.rewrap(old), made)
        assert {provider.version_of(item.blob) for item in new} == {second}
        assert await provider.unwrap(new) == await provider.unwrap(old) == [item.material for item in made]
        assert {provider.version_of(blob) for blob in await provider.wrap(made)} == {second}

    async def test_a_version_that_is_claimed_and_not_true_does_not_unwrap(self, real: Real) -> None:
        provider, item = real.provider, Wrapping(random_bytes(32), CONTEXT)
        first = await provider.version()
        [blob] = await provider.wrap([item])
        second = await provider.rotate()
        assert len(first) == len(second)
        relabelled = blob.replace(first.encode(), second.encode(), 1)
        assert relabelled != blob
        with pytest.raises(KeyringLocked):
            await provider.unwrap([Wrapped(relabelled, CONTEXT)])

    async def test_a_rotation_elsewhere_is_seen(self, real: Real) -> None:
        elsewhere = real.another_door()
        await elsewhere.open()
        try:
            newest = await elsewhere.rotate()
            item = Wrapping(random_bytes(32), CONTEXT)
            [blob] = await elsewhere.wrap([item])
            assert await real.provider.unwrap([Wrapped(blob, CONTEXT)]) == [item.material]
            assert await real.provider.version() == newest
            assert {real.provider.version_of(blob) for blob in await real.provider.wrap([item])} == {newest}
        finally:
            await elsewhere.close()

    async def test_many_at_the_same_time(self, real: Real) -> None:
        made = items(100)
        good = wrapped(await real.provider.wrap(made), made)
        answers = await asyncio.gather(*(real.provider.unwrap([item]) for item in good))
        assert answers == [[item.material] for item in made]

    async def test_the_check_proves_use(self, real: Real) -> None:
        await real.provider.check()
        await real.remove_key()
        with pytest.raises(CryptoError):
            await self.after_removal(real)

    async def after_removal(self, real: Real) -> None:
        await real.provider.check()

    async def test_a_key_that_is_gone_is_refused_at_start(self, real: Real) -> None:
        await real.remove_key()
        with pytest.raises(ProviderRefused) as caught:
            await real.another_door().open()
        assert len(str(caught.value).split()) >= 6, "the message says what to do"

    async def test_closed_means_closed(self, real: Real) -> None:
        [blob] = await real.provider.wrap([Wrapping(random_bytes(32), CONTEXT)])
        await real.provider.close()
        await real.provider.close()
        with pytest.raises(ProviderRefused, match="not open"):
            await real.provider.unwrap([Wrapped(blob, CONTEXT)])
        await real.provider.open()
        assert len(await real.provider.unwrap([Wrapped(blob, CONTEXT)])) == 1

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
    async def test_it_is_not_copied_or_pickled(self, real: Real, duplicate: Callable[[object], object]) -> None:
        with pytest.raises(TypeError):
            duplicate(real.provider)

    async def test_nothing_secret_is_shown(self, real: Real, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        item = Wrapping(b"canary-of-the-material-in-32-byte", CONTEXT)
        await real.provider.close()
        await real.provider.open()
        [blob] = await real.provider.wrap([item])
        shown = [repr(real.provider), str(real.provider), real.provider.uri, repr(item), repr(vars_of(real.provider))]
        for bad in (Wrapped(blob, b"another"), Wrapped(blob[:-3] + b"AAA", CONTEXT), Wrapped(b"", CONTEXT)):
            try:
                await real.provider.unwrap([bad])
            except self.foreign as failure:
                shown += traceback.format_exception(failure)
        await real.remove_key()
        try:
            await self.after_removal(real)
        except CryptoError as failure:
            shown += traceback.format_exception(failure)
        shown += [record.getMessage() for record in caplog.records]
        shown.append(" ".join(psutil.Process().cmdline()))
        everything = "\n".join(shown)
        for secret in (*real.secrets, "canary-of-the-material", item.material.hex()):
            assert secret not in everything


def vars_of(provider: object) -> dict[str, object]:
    """What its parts show of themselves, four levels deep; a text by itself is held somewhere, and not looked at."""
    found: dict[str, object] = {}
    owners = [provider]
    for _ in range(4):
        fields = [(owner, name, value) for owner in owners for name, value in _fields(owner).items()]
        found |= {
            f"{type(owner).__name__}.{name}": repr(value) for owner, name, value in fields if not isinstance(value, str)
        }
        owners = [value for _, _, value in fields if type(value).__module__.startswith("keys.")]
    return found


def _fields(owner: object) -> dict[str, object]:
    names = [name for base in type(owner).__mro__ for name in getattr(base, "__slots__", ())]
    return {name: getattr(owner, name, None) for name in (*names, *getattr(owner, "__dict__", {}))}
