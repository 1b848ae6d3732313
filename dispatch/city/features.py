"""GeoJSON feature collections (RFC 7946, so WGS-84): each feature with its line, and every fault of its shape."""

import re
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from gridmap.shapes import Shape, read_shape
from sla.errors import Fault

P = TypeVar("P", bound=Struct)

_BOM: Final = b"\xef\xbb\xbf"
_BYTE: Final = re.compile(r" \(byte (\d+)\)")


class _Collection(Struct, tag_field="type", tag="FeatureCollection"):
    features: list[msgspec.Raw]


class _Feature(Struct, tag_field="type", tag="Feature"):
    properties: dict[str, Any]
    geometry: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Located(Generic[P]):
    """One feature: the line it begins on, its properties and its polygon, which is None if the polygon is faulty."""

    line: int
    properties: P
    shape: Shape | None


def read_features(file: str, data: bytes, type_: type[P], faults: list[Fault]) -> list[Located[P]]:
    """The features of a collection whose properties fit `type_`; properties that it does not name are left alone."""
    plain = data.removeprefix(_BOM)
    try:
        collection = msgspec.json.decode(plain, type=_Collection)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(file, _error_line(plain, error), "", f"is no GeoJSON feature collection: {error}"))
        return []
    features, position, line = [], 0, 1
    for raw in collection.features:
        start = plain.index(bytes(raw), position)
        line += plain.count(b"\n", position, start)
        position = start
        if feature := _read_feature(file, line, raw, type_, faults):
            features.append(feature)
    return features


def _read_feature(file: str, line: int, raw: msgspec.Raw, type_: type[P], faults: list[Fault]) -> Located[P] | None:
    try:
        feature = msgspec.json.decode(raw, type=_Feature)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(file, line, "", f"is no feature: {error}"))
        return None
    shape, wrong = read_shape(feature.geometry)
    faults += [Fault(file, line, "geometry", f"{fault.problem}: {fault.detail}") for fault in wrong]
    try:
        return Located(line, msgspec.convert(feature.properties, type_), shape)
    except msgspec.ValidationError as error:
        faults.append(Fault(file, line, "properties", str(error)))
        return None


def _error_line(data: bytes, error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return data.count(b"\n", 0, error.start) + 1
    place = _BYTE.search(str(error))
    return data.count(b"\n", 0, int(place[1])) + 1 if place else 1
