"""The learned models that serve (模型): read from the database, swapped when another version comes into service, never half read."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import structlog

from dispatch.intake import addresses, located, subjects, texts, units
from dispatch.intake.alike import Texts
from dispatch.intake.located import LocatedModel
from dispatch.intake.packing import BadModel
from dispatch.intake.subjects import Classifier
from dispatch.intake.units import UnitModel
from dispatch.store.pool import Executor
from dispatch.store.statements import load
from gridmap.address_pairs import AddressModel

SQL = load(__file__, "models")
log = structlog.get_logger()
NO_VERSIONS: Final[Mapping[str, str]] = MappingProxyType({})
# How each kind that the service uses is read; its name is that of a field of Models.
READERS: Final[Mapping[str, Callable[[bytes], Any]]] = MappingProxyType(
    {
        "subjects": subjects.unpacked,
        "pairs": texts.unpacked,
        "units": units.unpacked,
        "located": located.unpacked,
        "addresses": addresses.unpacked,
    }
)


@dataclass(frozen=True, slots=True)
class Models:
    """What serves at one moment, each kind or none of it, and the version of each."""

    subjects: Classifier | None = None
    pairs: Texts | None = None
    units: UnitModel | None = None
    located: LocatedModel | None = None
    addresses: AddressModel | None = None
    versions: Mapping[str, str] = field(default_factory=lambda: NO_VERSIONS)


NO_MODELS: Final = Models()


class Keeper:
    """Whoever needs models asks for `current` once and keeps that for the whole of one decision."""

    def __init__(self, models: Models = NO_MODELS) -> None:
        self.current = models
        # The version last looked at of each kind: one that cannot be read is not read again and again.
        self._looked: dict[str, str] = {}

    async def refresh(self, connection: Executor) -> bool:
        """Swaps to what is in service now; True if that is something else.

        Only what changed is read. Bytes that are no model are logged, and the one before serves on.
        """
        found = {row["kind"]: row for row in await connection.fetch(SQL.in_service, list(READERS))}
        changed: dict[str, Any] = {kind: None for kind in self.current.versions if kind not in found}
        versions = {kind: version for kind, version in self.current.versions.items() if kind in found}
        for kind, row in found.items():
            if self._looked.get(kind) == row["version"]:
                continue
            body: bytes = await connection.fetchval(SQL.body, row["id"])
            self._looked[kind] = row["version"]
            try:
                changed[kind] = await asyncio.to_thread(READERS[kind], body)
            except BadModel as fault:
                log.error("models.unreadable", kind=kind, version=row["version"], problem=str(fault))
                continue
            versions[kind] = row["version"]
        self._looked = {kind: version for kind, version in self._looked.items() if kind in found}
        if not changed:
            return False
        self.current = replace(self.current, **changed, versions=MappingProxyType(versions))
        log.info("models.swapped", **versions)
        return True
