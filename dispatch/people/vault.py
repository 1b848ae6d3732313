"""The caller vault (来电人信息): who called, so that equal people are found and nobody is read without the keys."""

import re
import unicodedata
from secrets import token_bytes

import msgspec

from dispatch.people.keyring import Keyring, Sealed, aad
from dispatch.people.phone import e164

# What desks write where a name or number is not known.
_NOBODY = frozenset({"", "无", "匿名", "不详", "未知", "佚名", "不愿透露", "-", "/"})
_SPACE = re.compile(r"[\s\u200b·•]+")


class Caller(msgspec.Struct, frozen=True, array_like=True):
    """A caller in clear: as given, the number in E.164 form where it is one."""

    name: str | None
    phone: str | None

    def __repr__(self) -> str:
        return "Caller(…)"


class Identity(msgspec.Struct, frozen=True):
    """A caller as the database compares callers.

    `person` is the keyed hash (32 bytes) over number and name: the number alone, of a family or a switchboard, is not a
    person. A caller without a valid number is nobody in particular: `person` is then random, never equal to another.
    `phone` is the keyed hash (32 bytes) over the number, for search. `match_key` is the id of the key of both.
    """

    person: bytes
    phone: bytes | None
    match_key: str
    caller: Caller


def identify(keyring: Keyring, name: str | None, phone: str | None) -> Identity | None:
    """Who this is, or nothing for an anonymous caller; a faulty number is kept as given and compares with nothing."""
    name, phone = _given(name), _given(phone)
    if name is None and phone is None:
        return None
    number = e164(phone) if phone else None
    if number is None:
        return Identity(token_bytes(32), None, keyring.matching.current, Caller(name, phone))
    person = keyring.match(f"{number}\0{_comparable(name or '')}".encode(), "person")
    return Identity(person, keyring.match(number.encode(), "phone"), keyring.matching.current, Caller(name, number))


def phone_hash(keyring: Keyring, phone: str) -> bytes | None:
    """What `callers.phone` holds for this number, or nothing if it cannot be one."""
    number = e164(phone)
    return keyring.match(number.encode(), "phone") if number else None


def seal_caller(keyring: Keyring, identity: Identity) -> Sealed:
    """The caller's name and number as the row of `callers` with this person keeps them."""
    return keyring.seal(msgspec.json.encode(identity.caller), aad("callers", "sealed", identity.person.hex()))


def open_caller(keyring: Keyring, person: bytes, sealed: Sealed) -> Caller:
    """The name and number of a row of `callers`. Raises `KeyUnknown`, `SealBroken`. Who asks writes the access log."""
    return msgspec.json.decode(keyring.open(sealed, aad("callers", "sealed", person.hex())), type=Caller)


def _given(text: str | None) -> str | None:
    stripped = (text or "").strip()
    return None if stripped in _NOBODY else stripped


def _comparable(name: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()
