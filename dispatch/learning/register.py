"""The register of models (模型登记): each with the hash of its data and its figures; one of a kind serves, and none comes after a better one.

What is shipped (`shipped`) counts as one that is there already.

| what is there already                                  | the new one serves if                                              |
|--------------------------------------------------------|--------------------------------------------------------------------|
| none of its kind, and none is shipped                  | always                                                             |
| one, and both were judged on rows that neither has seen | it is no worse there, by the first figure; where that of its own   |
|                                                         | training is worse than the other one's, it must be clearly better  |
| one, and there are too few such rows                    | its first figure is no worse than that of the other one's training |
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "register")
# Value, and the ends of its 95 % interval.
Figures = dict[str, tuple[float, float, float]]
Rows = npt.NDArray[np.uint64]
# Fewer rows that are new to both say nothing of which is better.
FEWEST_NEW: Final = 50


@dataclass(frozen=True)
class Model:
    """A trained model of one kind: its bytes, the rows it was trained on, and its figures; the first decides."""

    kind: str
    body: bytes
    trained_on: Rows
    data_hash: bytes
    figures: Figures

    @property
    def version(self) -> str:
        """The beginning of the hash of its bytes."""
        return hashlib.sha256(self.body).hexdigest()[:12]


@dataclass(frozen=True)
class Serving:
    """The model of a kind that serves: what a new one is measured against."""

    version: str
    figures: Figures
    seen: Rows
    body: bytes

    def has_seen(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of the rows it was trained on."""
        return np.isin(rows, self.seen)


@dataclass(frozen=True)
class Comparison:
    """A figure of the new model beside that of the one in service, by their own trainings, and on rows that are new to both.

    `fresh` is (new, old, the least by which the new one is better there with 97.5 %); None where there are too few such rows.
    """

    figure: str
    new: float
    old: float
    rows: int = 0
    fresh: tuple[float, float, float] | None = None

    @property
    def worse(self) -> bool:
        """Whether the new one must not take over. What it was judged on may itself be wrong, so its own figure counts too."""
        if self.fresh is None:
            return self.new < self.old
        new, old, least = self.fresh
        return new < old or (self.new < self.old and least <= 0)


def numbered(rows: Iterable[Sequence[str]]) -> Rows:
    """Eight bytes for each row."""
    digests = (hashlib.blake2b(msgspec.json.encode(row), digest_size=8).digest() for row in rows)
    return np.array([int.from_bytes(digest) for digest in digests], np.uint64)


def hashed(rows: Iterable[Sequence[str]]) -> bytes:
    """SHA-256 over all rows in order."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(msgspec.json.encode(row))
    return whole.digest()


async def serving(connection: Connection, kind: str) -> Serving | None:
    """The model of a kind in service."""
    row = await connection.fetchrow(SQL.in_service, kind)
    if row is None:
        return None
    figures = msgspec.json.decode(row["figures"], type=Figures)
    return Serving(row["version"], figures, np.frombuffer(row["seen"], ">u8").astype(np.uint64), row["body"])


async def put(
    connection: Connection, model: Model, *, replaces: str | None, serve: bool, by: str, now: datetime
) -> None:
    """Keeps a model and, if `serve`, puts it into service.

    `replaces` is the version that it was compared with. Raises RuleBroken if another one serves by now.
    """
    async with connection.transaction():
        await connection.execute(SQL.lock)
        row = await connection.fetchrow(SQL.in_service, model.kind)
        if (row["version"] if row else None) != replaces:
            raise RuleBroken(problem="another model came into service meanwhile: train again", field="kind")
        figures = msgspec.json.encode(model.figures).decode()
        seen = model.trained_on.astype(">u8").tobytes()
        await connection.execute(
            SQL.put, model.kind, model.version, model.data_hash, len(model.trained_on), seen, figures, model.body, now, by
        )  # fmt: skip
        if serve and replaces != model.version:
            await _serve(connection, model.kind, model.version, by, now)


async def restore(connection: Connection, kind: str, version: str, *, by: str, now: datetime) -> str:
    """Puts an earlier model into service again, by its version or how that begins; the whole version. Raises NotFound, RuleBroken."""
    async with connection.transaction():
        await connection.execute(SQL.lock)
        row = await connection.fetchrow(SQL.in_service, kind)
        if row is not None and row["version"].startswith(version):
            raise RuleBroken(problem=f"{row['version']} serves already", field="version")
        return await _serve(connection, kind, version, by, now)


async def _serve(connection: Connection, kind: str, version: str, by: str, now: datetime) -> str:
    found = await connection.fetch(SQL.find, kind, version)
    if not found:
        raise NotFound(noun="model", key=f"{kind} {version}")
    if len(found) > 1:
        raise RuleBroken(problem=f"{version} is the beginning of several versions", field="version")
    await connection.execute(SQL.end_service, kind, now, by)
    await connection.execute(SQL.begin_service, found[0]["id"], kind, now, by)
    whole: str = found[0]["version"]
    return whole
