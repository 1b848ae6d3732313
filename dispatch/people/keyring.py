"""The service's keys, apart by what they are for, and what is done with them."""

import hmac
from collections.abc import Mapping
from os import urandom
from pathlib import Path
from typing import Annotated, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dispatch.people.errors import KeyringFaulty, KeyringMissing, KeyringUnreadable, KeyUnknown, SealBroken

KEY_BYTES = 32
# The nonce length that NIST SP 800-38D recommends for GCM; random, so a key seals at most 2**32 values.
NONCE_BYTES = 12
# Without I, L, O and U: a code read out on the phone is heard one way only.
TRACK_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TRACK_LENGTH = 10
_AS_HEARD = str.maketrans("ILO", "110", " -")


class Sealed(msgspec.Struct, frozen=True):
    """An encrypted value as a row keeps it: id of the key, nonce (12 bytes), ciphertext with its tag (16 bytes)."""

    key_id: str
    nonce: bytes
    data: bytes


class Ring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys for one use: the current one for new values, the older ones for what exists."""

    current: str
    keys: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,16}$")], bytes]

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"the current key {self.current} is not among its keys")
        for key_id, key in self.keys.items():
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {key_id} is not {KEY_BYTES} bytes long")

    def __repr__(self) -> str:
        return f"Ring(current={self.current!r}, keys={sorted(self.keys)!r})"

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) under the current key."""
        return hmac.digest(self.keys[self.current], message, "sha256")

    def verifies(self, message: bytes, mac: bytes) -> bool:
        """Whether any key of the ring made this HMAC; takes the same time whatever differs."""
        return any(hmac.compare_digest(hmac.digest(key, message, "sha256"), mac) for key in self.keys.values())


class Rings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The five rings. No key may serve two of them: who can read callers must not be able to sign tokens."""

    sealing: Ring
    matching: Ring
    signing: Ring
    events: Ring
    tracking: Ring

    def __post_init__(self) -> None:
        every = [key for ring in msgspec.structs.astuple(self) for key in ring.keys.values()]
        if len(set(every)) != len(every):
            raise ValueError("one key stands in two places")


class CaseKey:
    """The key of one case's texts; destroying its wrapped form makes all of them unreadable."""

    __slots__ = ("_cipher", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    @classmethod
    def new(cls) -> Self:
        return cls(urandom(KEY_BYTES))

    def seal(self, plain: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """The nonce and the ciphertext."""
        nonce = urandom(NONCE_BYTES)
        return nonce, self._cipher.encrypt(nonce, plain, aad)

    def open(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
        """What was sealed. Raises `SealBroken`."""
        return _decrypt(self._cipher, nonce, data, aad)

    def wrapped_by(self, keyring: "Keyring", case_id: int) -> Sealed:
        """This key as `case_keys` stores it."""
        return keyring.seal(self._key, aad("case_keys", "wrapped", case_id))


class Keyring:
    """Every key of the service (密钥环): seals and opens, hashes for matching, chains events, makes track codes.

    Values carry the id of their key, so a ring is turned by adding a key and naming it current. Only `matching` is
    different: hashes are found under the key that made them, so after turning it callers are hashed anew from their
    sealed names and numbers.
    """

    __slots__ = ("_ciphers", "_rings", "_sealing", "events", "matching", "signing", "tracking")

    def __init__(self, rings: Rings) -> None:
        self._rings = rings
        self._ciphers = {key_id: AESGCM(key) for key_id, key in rings.sealing.keys.items()}
        self._sealing = rings.sealing.current
        self.matching = rings.matching
        self.signing = rings.signing
        self.events = rings.events
        self.tracking = rings.tracking

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read `{"sealing": {"current": "k1", "keys": {"k1": "<32 bytes in base64>"}}, …}` with all five rings.

        Raises `KeyringFaulty`, which names the ring and key, never the key itself.
        """
        try:
            return cls(msgspec.json.decode(text, type=Rings))
        except (msgspec.DecodeError, UnicodeError) as fault:
            raise KeyringFaulty(str(fault)) from None

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """The keyring of DISPATCH_KEYRING (JSON) or DISPATCH_KEYRING_FILE (path).

        Raises `KeyringMissing`, `KeyringUnreadable`, `KeyringFaulty`.
        """
        text, path = environ.get("DISPATCH_KEYRING"), environ.get("DISPATCH_KEYRING_FILE")
        if bool(text) == bool(path):
            raise KeyringMissing
        if text:
            return cls.parse(text)
        try:
            return cls.parse(Path(path or "").read_bytes())
        except OSError as fault:
            raise KeyringUnreadable(path or "", fault.strerror or "") from None

    @classmethod
    def generate(cls) -> Self:
        """New random keys in every ring."""
        return cls(Rings(*(Ring("k1", {"k1": urandom(KEY_BYTES)}) for _ in Rings.__struct_fields__)))

    def to_json(self) -> str:
        """The keyring as `parse` reads it: every secret, for a file of mode 0600 and nowhere else."""
        return msgspec.json.encode(self._rings).decode()

    def seal(self, plain: bytes, aad: bytes) -> Sealed:
        """Encrypt with AES-256-GCM under the current sealing key; `aad` ties the value to its place."""
        nonce = urandom(NONCE_BYTES)
        return Sealed(self._sealing, nonce, self._ciphers[self._sealing].encrypt(nonce, plain, aad))

    def open(self, sealed: Sealed, aad: bytes) -> bytes:
        """What was sealed. Raises `KeyUnknown`, `SealBroken`."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise KeyUnknown("sealing", sealed.key_id)
        return _decrypt(cipher, sealed.nonce, sealed.data, aad)

    def wrap_case_key(self, key: CaseKey, case_id: int) -> Sealed:
        """A case's key as `case_keys` stores it."""
        return key.wrapped_by(self, case_id)

    def unwrap_case_key(self, wrapped: Sealed, case_id: int) -> CaseKey:
        """The case's key. Raises `KeyUnknown`, `SealBroken`."""
        return CaseKey(self.open(wrapped, aad("case_keys", "wrapped", case_id)))

    def match(self, value: bytes, purpose: str) -> bytes:
        """Keyed hash (32 bytes) by which equal values are found without being readable; equal only for one purpose."""
        return self.matching.mac(purpose.encode() + b"\0" + value)

    def event_mac(self, prev: bytes, body: bytes) -> bytes:
        """The link of a case's chain of events: over the previous link (32 bytes) and this event's bytes."""
        return self.events.mac(prev + body)

    def event_mac_valid(self, prev: bytes, body: bytes, mac: bytes) -> bool:
        """Whether a link was made by this service, under the current or an earlier key."""
        return self.events.verifies(prev + body, mac)

    def track_code(self, receipt_no: str) -> str:
        """The code (查询码) with which whoever holds the receipt sees its progress: 10 characters, 50 bits."""
        return _track_code(self.tracking.keys[self.tracking.current], receipt_no)

    def track_code_valid(self, receipt_no: str, code: str) -> bool:
        """Whether the code, as typed or heard, is that of the receipt."""
        given = code.upper().translate(_AS_HEARD).encode()
        return any(
            hmac.compare_digest(_track_code(key, receipt_no).encode(), given) for key in self.tracking.keys.values()
        )


def aad(table: str, column: str, row: int | str) -> bytes:
    """Where a sealed value stands: it opens nowhere else."""
    return f"{table}\0{column}\0{row}".encode()


def _decrypt(cipher: AESGCM, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, data, aad)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def _track_code(key: bytes, receipt_no: str) -> str:
    digest = hmac.digest(key, receipt_no.encode(), "sha256")
    return "".join([TRACK_ALPHABET[byte & 31] for byte in digest[:TRACK_LENGTH]])
