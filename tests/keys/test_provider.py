"""What every FileKek does, and what the values of a KekProvider show of themselves."""

from __future__ import annotations

import copy
import pickle

import pytest

from keys.errors import KeyringLocked
from keys.primitives import random_bytes
from keys.provider import FileKek, Wrapped, Wrapping
from keys.providers.local import LOWEST_COST, Derivation, PassphraseKek


def local() -> tuple[FileKek, FileKek]:
    derivation = Derivation(LOWEST_COST)
    return PassphraseKek("open sesame", derivation), PassphraseKek("open barley", derivation)


@pytest.fixture(params=[local], ids=["local"], scope="module")
def providers(request: pytest.FixtureRequest) -> tuple[FileKek, FileKek]:
    made: tuple[FileKek, FileKek] = request.param()
    return made


def test_what_is_wrapped_is_unwrapped_in_its_context(providers: tuple[FileKek, FileKek]) -> None:
    kek, _ = providers
    material = random_bytes(32)
    wrapped = kek.wrap(material, b"context")
    assert kek.unwrap(wrapped, b"context") == material
    assert material not in wrapped
    assert kek.wrap(material, b"context") != wrapped


def test_nothing_else_unwraps(providers: tuple[FileKek, FileKek]) -> None:
    kek, other = providers
    wrapped = kek.wrap(random_bytes(32), b"context")
    for provider, value, context in (
        (kek, wrapped, b"another"),
        (kek, wrapped, b""),
        (other, wrapped, b"context"),
        (kek, wrapped[:-1], b"context"),
        (kek, wrapped + b"\0", b"context"),
        (kek, b"", b"context"),
        (kek, wrapped[:5], b"context"),
        (kek, bytes((wrapped[0] ^ 1,)) + wrapped[1:], b"context"),
    ):
        with pytest.raises(KeyringLocked):
            provider.unwrap(value, context)


def test_the_code_depends_on_the_message_and_on_the_kek(providers: tuple[FileKek, FileKek]) -> None:
    kek, other = providers
    assert kek.authenticate(b"message") == kek.authenticate(b"message")
    assert len({kek.authenticate(b"message"), kek.authenticate(b"massage"), other.authenticate(b"message")}) == 3
    assert len(kek.authenticate(b"")) == 32


def test_the_same_passphrase_and_salt_are_the_same_kek() -> None:
    derivation = Derivation(LOWEST_COST)
    one, two = PassphraseKek("open sesame", derivation), PassphraseKek("open sesame", derivation)
    salted = PassphraseKek("open sesame", Derivation(LOWEST_COST))
    assert one.verifier == two.verifier != salted.verifier
    assert two.unwrap(one.wrap(b"x" * 32, b"c"), b"c") == b"x" * 32
    with pytest.raises(KeyringLocked):
        salted.unwrap(one.wrap(b"x" * 32, b"c"), b"c")


def test_material_is_not_shown_copied_or_pickled() -> None:
    secret = b"canary of the material"
    wrapping = Wrapping(secret, b"context")
    assert "canary" not in repr(wrapping) + str(wrapping) and b"context".decode() in repr(wrapping)
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="key material"):
            duplicate(wrapping)
    assert copy.copy(Wrapped(b"blob", b"context")) == Wrapped(b"blob", b"context")
