"""Codes and parents of a table: used twice, unknown, or in a circle."""

from collections.abc import Iterable

from sla.errors import Fault


def sound_parents(file: str, rows: Iterable[tuple[int, str, str]], faults: list[Fault]) -> dict[str, str | None]:
    """Code → parent for rows of (line, code, parent), an empty parent meaning the top.

    Every row that breaks the tree gets a fault, and the top as its parent, so that what follows can be checked too.
    """
    lines: dict[str, int] = {}
    parents: dict[str, str] = {}
    for line, code, parent in rows:
        if code in lines:
            faults.append(Fault(file, line, "code", f"{code}: is also on line {lines[code]}"))
            continue
        lines[code], parents[code] = line, parent
    sound: dict[str, str | None] = {}
    for code, parent in parents.items():
        sound[code] = parent or None
        if not parent:
            continue
        if parent not in parents:
            faults.append(Fault(file, lines[code], "parent", f"{parent}: no such code"))
            sound[code] = None
        elif circle := _circle(code, parents):
            faults.append(Fault(file, lines[code], "parent", f"circle: {' → '.join(circle)}"))
            sound[code] = None
    return sound


def _circle(code: str, parents: dict[str, str]) -> list[str]:
    """The codes from `code` upwards to itself; empty if it is not among its own ancestors."""
    path = [code]
    while (step := parents.get(path[-1])) and step not in path:
        path.append(step)
    return [*path, code] if step == code else []
