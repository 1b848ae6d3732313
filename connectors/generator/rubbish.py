"""Bad fields made on purpose, one at a time, each as it really comes in."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

Report = dict[str, Any]


def _zero_point(report: Report) -> None:
    report["location"] = {**report.get("location", {}), "lon": 0.0, "lat": 0.0, "crs": "wgs84"}


def _swapped(report: Report) -> None:
    location = report["location"]
    report["location"] = {**location, "lon": location["lat"], "lat": location["lon"]}


def _unknown_category(report: Report) -> None:
    report["category"] = "ZZ9999"


def _bad_phone(report: Report) -> None:
    report["caller"] = {**report.get("caller", {}), "phone": "1990013"}


def _future(report: Report) -> None:
    report["occurred_at"] = "2099-01-01T00:00:00+08:00"


def _no_offset(report: Report) -> None:
    report["occurred_at"] = "2026-03-02T08:15:00"


def _nothing_said(report: Report) -> None:
    for key in ("text", "category", "title"):
        report.pop(key, None)


SPOILS: Final[Mapping[str, Callable[[Report], None]]] = MappingProxyType(
    {
        "zero_point": _zero_point,
        "swapped": _swapped,
        "unknown_category": _unknown_category,
        "bad_phone": _bad_phone,
        "future": _future,
        "no_offset": _no_offset,
        "nothing_said": _nothing_said,
    }
)


def spoiled(report: Report, how: str) -> Report:
    """A copy of the report with one bad field. `swapped` needs a point."""
    copy = dict(report)
    SPOILS[how](copy)
    return copy
