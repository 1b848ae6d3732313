"""What can go wrong with notices."""

from dataclasses import dataclass


class NoticeError(Exception):
    """Something about a notice went wrong."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


@dataclass(eq=False)
class AddressRefused(NoticeError):
    """Webhooks may not reach {address}: {problem}."""

    address: str
    problem: str


class SecretMalformed(NoticeError):
    """A webhook secret is whsec_ and 24 to 64 bytes in base64; several are separated by a space."""
