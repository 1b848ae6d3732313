"""Passwords: what they must be, and how they are kept (argon2id, RFC 9106)."""

import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dispatch.domain.errors import BadInput

SHORTEST = 10
LONGEST = 256
_CLASSES = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
# Read aloud and typed once, so without characters that look alike.
_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))

# 19 MiB and two passes: the least that OWASP's password storage guidance calls enough, and so the least that a flood of
# log-ins costs the service.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def check(password: str, username: str) -> None:
    """Raises `BadInput` for fewer than 10 characters, fewer than two classes of them, or the user name in it."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(field="password", problem=f"needs {SHORTEST} to {LONGEST} characters")
    if username.casefold() in password.casefold():
        raise BadInput(field="password", problem="contains the user name")
    if sum(any(map(belongs, password)) for belongs in _CLASSES) < 2:
        raise BadInput(field="password", problem="needs two of: small letters, capitals, digits, other characters")


def generate() -> str:
    """A random first password of 14 characters (80 bits) that passes `check`."""
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(14))
        if any(map(str.isdigit, password)) and any(map(str.isalpha, password)):
            return password


def hashed(password: str) -> str:
    """The argon2id hash with its parameters and salt; takes tens of milliseconds and 19 MiB."""
    return _hasher.hash(password)


def fits(stored: str, password: str) -> bool:
    """Whether the password made the hash; takes as long as making it."""
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
