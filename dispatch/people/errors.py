"""What can go wrong with keys and sealed values."""

from dataclasses import dataclass


class PeopleError(Exception):
    """Keys or sealed values cannot be used."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


@dataclass(eq=False)
class KeyringMissing(PeopleError):
    """No keyring: set DISPATCH_KEYRING (its JSON) or DISPATCH_KEYRING_FILE (a path), not both; there is no default."""


@dataclass(eq=False)
class KeyringUnreadable(PeopleError):
    """The keyring file {path} cannot be read: {problem}"""

    path: str
    problem: str


@dataclass(eq=False)
class KeyringFaulty(PeopleError):
    """The keyring cannot be used: {problem}"""

    problem: str


@dataclass(eq=False)
class KeyUnknown(PeopleError):
    """The {ring} ring has no key {key_id}: it was taken out before its last value was sealed anew."""

    ring: str
    key_id: str


@dataclass(eq=False)
class SealBroken(PeopleError):
    """A sealed value does not open: it was changed, belongs to another row, or was sealed under another key."""
