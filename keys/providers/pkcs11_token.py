"""One PKCS#11 token with the versions of one AES key; the only importer of pkcs11.  Blocking: see one_thread.py.

The versions are AES-256 secret keys with the same label; a version's name is its CKA_ID as a number.  Each must be
sensitive and not extractable.  Keys are wrapped by AES-256-GCM on the token (the key never leaves it) with nonces of
ours: a token that insists on nonces of its own is refused by the canary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11 import exceptions as failures

from keys.errors import KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.primitives import NONCE_SIZE, TAG_SIZE, equal, random_bytes

from .blob import Kind, bound, build, parse
from .secret import Secret

KEY_BITS = 256
_Answer = TypeVar("_Answer")
_Key = Any  # the library puts a key's class together at run time, from what the key can do

# The session, or what was found in it, is gone: worth one new login.
_LOST = (
    failures.SessionHandleInvalid,
    failures.SessionClosed,
    failures.UserNotLoggedIn,
    failures.DeviceRemoved,
    failures.TokenNotPresent,
    failures.KeyHandleInvalid,
    failures.ObjectHandleInvalid,
)
_PIN = (failures.PinIncorrect, failures.PinLocked, failures.PinExpired, failures.PinInvalid, failures.PinLenRange)
_CHANGED = (failures.EncryptedDataInvalid, failures.EncryptedDataLenRange)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the key is: the vendor's library, the token by its label, the keys by theirs."""

    module: Path
    token: str
    key: str


class TokenKeys:
    """Used by one thread at a time.  Forgets its session when it is lost, and opens another at the next use."""

    __slots__ = ("_keys", "_pin", "_pin_refused", "_place", "_reinitialise", "_session", "logins", "uri")

    def __init__(self, uri: str, place: Place, pin: Secret) -> None:
        self.uri, self._place, self._pin = uri, place, pin
        self._session: pkcs11.Session | None = None
        self._keys: dict[int, _Key] = {}
        self._pin_refused = self._reinitialise = False
        self.logins = 0

    def open(self) -> None:
        self.close()
        self._pin_refused = False
        self._used(lambda: None)

    def close(self) -> None:
        session, self._session = self._session, None
        self._keys = {}
        if session is not None:
            try:
                session.close()
            except failures.PKCS11Error:
                pass  # it was lost already

    def newest(self) -> int:
        return self._used(lambda: max(self._found()))

    def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return self._used(lambda: self._wrap(items))

    def unwrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return self._used(lambda: [self._unwrap(blob, context) for blob, context in items])

    def rewrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Tokens have no operation for it: the material is in this process's memory for a moment."""
        return self._used(lambda: self._wrap([(self._unwrap(blob, context), context) for blob, context in items]))

    def rotate(self) -> int:
        return self._used(self._rotate)

    def _used(self, call: Callable[[], _Answer]) -> _Answer:
        """With a session; once more with another one when it was lost meanwhile."""
        try:
            try:
                self._require_session()
                return call()
            except _LOST:
                self.close()
                self._require_session()
                return call()
        except failures.PKCS11Error as failure:
            self.close()
            self._reinitialise = True
            raise ProviderUnavailable(f"{self.uri} fails: {type(failure).__name__}") from None

    def _require_session(self) -> None:
        if self._session is not None:
            return
        if self._pin_refused:
            raise ProviderRefused(
                f"{self.uri}: the PIN was refused and is not tried again, since tokens lock themselves"
            )
        token = self._token()
        self._session = self._logged_in(token)
        self.logins += 1
        try:
            self._refresh()
        except ProviderRefused:
            self.close()
            raise

    def _token(self) -> pkcs11.Token:
        try:
            library = self._library()
            if self._reinitialise:  # many libraries find a device again only after this
                library.reinitialize()
            self._reinitialise = False
            token: pkcs11.Token = library.get_token(token_label=self._place.token)
            return token
        except failures.NoSuchToken:
            raise ProviderRefused(
                f"{self.uri}: there is no token of this label: name one that is initialised"
            ) from None
        except failures.MultipleTokensReturned:
            raise ProviderRefused(f"{self.uri}: several tokens have this label: give them different ones") from None

    def _library(self) -> Any:
        try:
            return pkcs11.lib(str(self._place.module))
        except failures.PKCS11Error as failure:
            if type(failure) is not failures.PKCS11Error:
                raise  # the library was loaded, and could not be initialised
        except RuntimeError:
            pass
        raise ProviderRefused(f"{self._place.module} cannot be loaded as a PKCS#11 library")

    def _logged_in(self, token: pkcs11.Token) -> pkcs11.Session:
        try:
            return token.open(user_pin=self._pin.read())
        except failures.UserAlreadyLoggedIn:  # by another part of this process: a login is the process's
            return token.open()
        except _PIN as failure:
            self._pin_refused = True
            name = type(failure).__name__
            raise ProviderRefused(f"{self.uri} does not accept the PIN in {self._pin.origin} ({name})") from None

    def _refresh(self) -> None:
        """Finds the versions, and looks at those that are new."""
        session = self._session
        if session is None:
            raise failures.SessionClosed
        found: dict[int, _Key] = {}
        template = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self._place.key}
        for key in session.get_objects(template):
            number = self._number(key)
            if number in found:
                raise ProviderRefused(f"{self.uri}: two keys have the id {number}: remove the one that is not used")
            found[number] = key
            if number not in self._keys:
                self._require_kind(key, number)
        if not found:
            raise ProviderRefused(f"{self.uri}: the token holds no secret key of this label: make it or restore it")
        self._keys = found

    def _found(self) -> dict[int, _Key]:
        self._refresh()
        return self._keys

    def _number(self, key: _Key) -> int:
        name = bytes(key.id or b"")
        number = int.from_bytes(name, "big")
        if not 1 <= len(name) <= 4 or not 1 <= number < 1 << 31:
            raise ProviderRefused(f"{self.uri}: a key's id is no number from 1 on in at most 4 bytes")
        return number

    def _require_kind(self, key: _Key, number: int) -> None:
        try:
            fit = {
                f"an AES key of {KEY_BITS} bits": key.key_type is KeyType.AES and key.key_length == KEY_BITS,
                "sensitive": key[Attribute.SENSITIVE] is True,
                "not extractable": key[Attribute.EXTRACTABLE] is False,
                "for encryption and decryption": key[Attribute.ENCRYPT] is True and key[Attribute.DECRYPT] is True,
            }
        except failures.AttributeTypeInvalid:
            raise ProviderRefused(f"{self.uri}: the token does not tell what kind the key {number} is of") from None
        wrong = [what for what, holds in fit.items() if not holds]
        if wrong:
            raise ProviderRefused(f"{self.uri}: the key {number} is refused: it must be {', '.join(wrong)}")

    def _wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        keys = self._found()
        number = max(keys)
        return [self._encrypt(keys[number], number, material, context) for material, context in items]

    def _encrypt(self, key: _Key, number: int, material: bytes, context: bytes) -> bytes:
        nonce = random_bytes(NONCE_SIZE)
        parameters = GCMParams(nonce, bound(Kind.PKCS11, str(number), context), 8 * TAG_SIZE)
        sealed = key.encrypt(material, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
        return build(Kind.PKCS11, str(number), nonce + bytes(sealed))

    def _unwrap(self, blob: bytes, context: bytes) -> bytes:
        parsed = parse(blob, Kind.PKCS11)
        number = _version_number(parsed.version)
        if number not in self._keys:
            self._refresh()
        key = self._keys.get(number)
        if key is None:
            raise KeyringLocked(f"a wrapped key names version {number}, which {self.uri} does not hold")
        nonce, sealed = parsed.payload[:NONCE_SIZE], parsed.payload[NONCE_SIZE:]
        if len(sealed) <= TAG_SIZE:
            raise KeyringLocked("a wrapped key is damaged")
        parameters = GCMParams(nonce, bound(Kind.PKCS11, parsed.version, context), 8 * TAG_SIZE)
        try:
            return bytes(key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))
        except _LOST:
            raise
        except _CHANGED:
            pass
        except failures.PKCS11Error:
            # Some tokens, SoftHSM among them, tell a wrong tag only as a general failure: does the key work at all?
            self._require_working(key, number)
        raise KeyringLocked(f"a wrapped key was changed, or is of another key than {self.uri} or another context")

    def _require_working(self, key: _Key, number: int) -> None:
        canary = random_bytes(32)
        sealed = parse(self._encrypt(key, number, canary, b"canary"), Kind.PKCS11).payload
        parameters = GCMParams(sealed[:NONCE_SIZE], bound(Kind.PKCS11, str(number), b"canary"), 8 * TAG_SIZE)
        opened = key.decrypt(sealed[NONCE_SIZE:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
        if not equal(bytes(opened), canary):
            raise ProviderRefused(f"{self.uri} decrypts other bytes than it encrypted")

    def _rotate(self) -> int:
        number = max(self._found()) + 1
        with self._token().open(rw=True) as session:  # the login is the process's, so this session has it too
            made = session.generate_key(
                KeyType.AES,
                KEY_BITS,
                id=number.to_bytes(4, "big"),
                label=self._place.key,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
            try:
                self._refresh()
            except ProviderRefused:
                made.destroy()  # somebody else rotated at the same moment
                raise ProviderUnavailable(f"{self.uri} is being rotated by somebody else") from None
        return max(self._found())


def _version_number(name: str) -> int:
    if not name.isdecimal() or len(name) > 10 or str(int(name)) != name:
        raise KeyringLocked("a wrapped key is damaged")
    return int(name)
