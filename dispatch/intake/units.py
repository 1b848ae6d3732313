"""Whose a case is by what was handled before: units ranked by a conditional logit over the best candidates. Serving needs numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dispatch.intake.packing import Arrays, BadModel, pack, unpack
from dispatch.intake.shares import Floats, Names, Row, Table, Tables

AT_ONCE: Final = 1_000


def softmax(scores: Floats) -> Floats:
    """Shares of one, along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    found: Floats = powers / powers.sum(-1, keepdims=True)
    return found


@dataclass(frozen=True)
class UnitModel:
    """What serves: counted cases, and what each feature of a candidate weighs."""

    columns: tuple[str, ...]
    tables: Tables
    mean: Floats
    scale: Floats
    weights: Floats

    def rank(self, rows: Sequence[Row], best: int = 3) -> list[list[tuple[str, float]]]:
        """For each row the likeliest units with their probability, best first."""
        ranked: list[list[tuple[str, float]]] = []
        units = self.tables.names.units
        for start in range(0, len(rows), AT_ONCE):
            chosen, values = self.tables.features(rows[start : start + AT_ONCE])
            scores: Floats = np.asarray((values - self.mean) / self.scale @ self.weights, np.float32)
            chance = softmax(scores)
            order = np.argsort(-chance, 1, kind="stable")[:, :best]
            for i, places in enumerate(order):
                ranked.append([(units[chosen[i, j]], float(chance[i, j])) for j in places])
        return ranked

    def packed(self) -> bytes:
        """As it is kept."""
        tables, values = self.tables, _Values(self.columns)
        arrays: Arrays = {
            "role": tables.names.role, "family": tables.names.family, "totals": tables.totals, "lately": tables.lately,
            "age": tables.age, "mean": self.mean, "scale": self.scale, "weights": self.weights,
        }  # fmt: skip
        heading: dict[str, Any] = {
            "columns": self.columns, "units": tables.names.units, "subsets": tables.subsets, "single": tables.single,
        }  # fmt: skip
        for part, held in (("counted", tables.counted), ("recent", tables.recent)):
            heading[part] = list(held)
            for n, table in enumerate(held.values()):
                arrays |= _of_table(f"{part}{n}", table, values)
        return pack(heading | {"values": values.listed}, arrays)


def unpacked(data: bytes) -> UnitModel:
    """The model that was packed. Raises BadModel."""
    heading, arrays = unpack(data)
    try:
        names = Names(heading["units"], arrays["role"], arrays["family"])
        tables = Tables(
            names, [tuple(each) for each in heading["subsets"]], [tuple(each) for each in heading["single"]],
            totals=arrays["totals"], lately=arrays["lately"], age=arrays["age"],
        )  # fmt: skip
        for part, held in (("counted", tables.counted), ("recent", tables.recent)):
            for n, columns in enumerate(map(tuple, heading[part])):
                held[columns] = _table(f"{part}{n}", columns, arrays, heading["values"])
        return UnitModel(tuple(heading["columns"]), tables, arrays["mean"], arrays["scale"], arrays["weights"])
    except (KeyError, IndexError, TypeError, ValueError) as fault:
        raise BadModel(f"not a model of units: {fault}") from None


class _Values:
    """Numbers for the values of each column."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._numbers: dict[str, dict[str, int]] = {column: {} for column in columns}

    def number(self, column: str, value: str) -> int:
        known = self._numbers[column]
        return known.setdefault(value, len(known))

    @property
    def listed(self) -> dict[str, list[str]]:
        return {column: list(known) for column, known in self._numbers.items()}


def _of_table(name: str, table: Table, values: _Values) -> Arrays:
    keys = [[values.number(c, v) for c, v in zip(table.columns, key, strict=True)] for key in table.counts]
    held = list(table.counts.values())
    return {
        f"{name}.keys": np.array(keys, np.int32).reshape(len(keys), len(table.columns)),
        f"{name}.sizes": np.array([len(units) for units, _ in held], np.int32),
        f"{name}.units": np.concatenate([units for units, _ in held] or [np.zeros(0, np.int64)]).astype(np.int32),
        f"{name}.counts": np.concatenate([counts for _, counts in held] or [np.zeros(0, np.float32)]),
    }


def _table(name: str, columns: tuple[str, ...], arrays: Arrays, values: dict[str, list[str]]) -> Table:
    ends = np.cumsum(arrays[f"{name}.sizes"])[:-1]
    units = np.split(arrays[f"{name}.units"].astype(np.int64), ends)
    counts = np.split(arrays[f"{name}.counts"], ends)
    known = [values[column] for column in columns]
    keys = [tuple([of[n] for of, n in zip(known, key, strict=True)]) for key in arrays[f"{name}.keys"].tolist()]
    return Table(columns, dict(zip(keys, zip(units, counts, strict=True), strict=False)))
