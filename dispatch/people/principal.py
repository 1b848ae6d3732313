"""Who is asking: an account of a person or the key of a machine, as the rest of the service sees it."""

from dataclasses import dataclass
from typing import Literal

from dispatch.domain.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Principal:
    """One authenticated account or API key.

    `name` is what events and logs record: the user name, or `key:<id>`. `unit` is the code of its unit. `channels`
    binds keys: a report under any other channel is not theirs to send; accounts have none.
    """

    name: str
    kind: Literal["account", "key"]
    unit: str
    roles: frozenset[str]
    permissions: frozenset[str]
    channels: frozenset[str] = frozenset()
    must_change: bool = False

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises `NotPermitted` without the permission."""
        if permission not in self.permissions:
            raise NotPermitted(permission=permission)
