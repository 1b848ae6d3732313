"""What is handed to a client to show again: access tokens, refresh tokens, CSRF tokens, keys of machines."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec

from dispatch.domain.errors import NotAuthenticated
from dispatch.people.keyring import Keyring

ACCESS_LIFE = timedelta(minutes=15)
# A shift; after it people log in again.
SESSION_LIFE = timedelta(hours=12)
KEY_PREFIX = "cdk_"
_ALGORITHM = "HS256"
_REQUIRED = ["sub", "sid", "epoch", "exp"]


class Access(msgspec.Struct, frozen=True):
    """What an access token says: who, in which session, of which epoch, until when (seconds of Unix time)."""

    sub: str
    sid: str
    epoch: int
    exp: int


def sign_access(keyring: Keyring, username: str, session: str, epoch: int, now: datetime) -> str:
    """A JWT (RFC 7519, HS256) that lives 15 minutes."""
    ring = keyring.signing
    claims = {"sub": username, "sid": session, "epoch": epoch, "exp": int((now + ACCESS_LIFE).timestamp())}
    return jwt.encode(claims, ring.keys[ring.current], _ALGORITHM, headers={"kid": ring.current})


def read_access(keyring: Keyring, token: str, now: datetime) -> Access:
    """What a token of ours says. Raises `NotAuthenticated` if it is not ours or too old."""
    try:
        key = keyring.signing.keys.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise NotAuthenticated(problem="The token was signed with a key that is no more in use.")
        # Expiry is judged below: by the clock that was passed in, not by the machine's.
        options: Any = {"require": _REQUIRED, "verify_exp": False}
        access = msgspec.convert(jwt.decode(token, key, [_ALGORITHM], options=options), Access)
    except (jwt.PyJWTError, msgspec.ValidationError, TypeError):
        raise NotAuthenticated(problem="The token is not one of this service.") from None
    if access.exp <= now.timestamp():
        raise NotAuthenticated(problem="The token has expired.")
    return access


def new_secret(name: str, prefix: str = "") -> tuple[str, bytes]:
    """A token `<prefix><name>_<secret>` (256 random bits) and the digest by which it is known again."""
    secret = secrets.token_urlsafe(32)
    return f"{prefix}{name}_{secret}", digest(secret)


def split_secret(token: str, prefix: str = "") -> tuple[str, bytes]:
    """The name in a token of `new_secret` and the digest of its secret. Raises `NotAuthenticated` for anything else."""
    name, underscore, secret = token.removeprefix(prefix).partition("_")
    if not (token.startswith(prefix) and token.isascii() and name.isalnum() and underscore and secret):
        raise NotAuthenticated(problem="The token is not one of this service.")
    return name, digest(secret)


def digest(secret: str) -> bytes:
    """SHA-256: enough for secrets of 256 random bits, which cannot be guessed however fast the hash."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(keyring: Keyring, session: str) -> str:
    """The token that a page of the console sends back in `X-CSRF-Token`; another site cannot know it."""
    return keyring.signing.mac(b"csrf\0" + session.encode()).hex()


def csrf_token_valid(keyring: Keyring, session: str, given: str) -> bool:
    """Whether the page that sent this belongs to the session."""
    try:
        return keyring.signing.verifies(b"csrf\0" + session.encode(), bytes.fromhex(given))
    except ValueError:
        return False
