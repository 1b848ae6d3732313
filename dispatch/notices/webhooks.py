"""Webhooks: where notices go outside the service, and the secret that signs them.

Signing follows Standard Webhooks 1.0: HMAC-SHA256 over `<id>.<timestamp>.<body>`, base64, marked `v1`. A webhook being
turned to a new secret has both, separated by a space, and sends a signature by each.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import urandom

from dispatch.notices.errors import SecretMalformed
from dispatch.people.keyring import Keyring, aad
from dispatch.store.pool import Connection, Executor
from dispatch.store.statements import load

SQL = load(__file__, "notices")
PREFIX = "whsec_"


def new_secret() -> str:
    """A random secret of 32 bytes, as the receiver must be given it."""
    return PREFIX + base64.b64encode(urandom(32)).decode()


def place(webhook: str) -> bytes:
    """Where the sealed secret of a webhook stands."""
    return aad("webhooks", "sealed", webhook)


async def add_webhook(
    connection: Connection,
    keyring: Keyring,
    webhook: str,
    url: str,
    secret: str,
    units: Sequence[str] = (),
) -> bool:
    """Register a webhook for the notices of some units, or of all; False if the name is taken. Raises `SecretMalformed`."""
    _keys(secret)
    sealed = keyring.seal(secret.encode(), place(webhook))
    made = await connection.execute(SQL.add_webhook, webhook, url, units, sealed.key_id, sealed.nonce, sealed.data)
    return made.endswith(" 1")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver; `units` empty means every unit."""

    id: str
    url: str
    units: list[str]
    disabled_at: datetime | None


async def every(connection: Executor) -> list[Webhook]:
    """All webhooks, disabled ones too."""
    return [Webhook(**row) for row in await connection.fetch(SQL.webhooks)]


async def disable(connection: Connection, webhook: str, at: datetime) -> bool:
    """Nothing more is sent there; what waits is given up. False if there is none, or it is disabled already."""
    if not (await connection.execute(SQL.disable, webhook, at)).endswith(" 1"):
        return False
    await connection.execute(SQL.give_up, f"webhook:{webhook}", at)
    return True


def signed_headers(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. Raises `SecretMalformed`."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in _keys(secret))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _keys(secret: str) -> list[bytes]:
    keys = []
    for one in secret.split():
        try:
            key = base64.b64decode(one.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise SecretMalformed from None
        if not one.startswith(PREFIX) or not 24 <= len(key) <= 64:
            raise SecretMalformed
        keys.append(key)
    if not keys:
        raise SecretMalformed
    return keys
