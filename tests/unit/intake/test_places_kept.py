"""Models of located cases and of address texts as bytes: they judge as before, and what would break a decision is refused."""

import base64
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dispatch.intake import addresses, located
from dispatch.intake.addresses import shipped
from dispatch.intake.located import Located, LocatedModel, Near, Reach, best
from dispatch.intake.packing import BadModel, pack
from dispatch.learning.located_fit import train
from tests.unit.learning.test_located import history

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIRS = [("幸福路3号", "幸福路3号院"), ("青石区海棠苑6幢", "海棠苑(东门)"), ("长江路1号", "沙洲路8号")]


@pytest.fixture(scope="module")
def model() -> LocatedModel:
    return train(*history())


def test_a_model_of_located_cases_judges_the_same_after_it_was_read_back(model: LocatedModel) -> None:
    data = located.packed(model)
    read = located.unpacked(data)
    earlier = Located("a", "lamp", "", NOON, None, 114.3, 30.5)
    later = Located("b", "lamp", "", NOON + timedelta(hours=2), None, 114.3, 30.5)
    assert best(read, later, [Near(earlier, 20.0)]) == best(model, later, [Near(earlier, 20.0)])
    assert read == model
    assert located.packed(read) == data
    # In whatever order the kinds were met.
    turned = {kind: dict(reversed(others.items())) for kind, others in reversed(model.after.items())}
    assert located.packed(msgspec.structs.replace(model, after=turned)) == data


def test_a_model_of_addresses_judges_the_same_after_it_was_read_back() -> None:
    model = shipped()
    data = addresses.packed(model)
    read = addresses.unpacked(data)
    for one, other in PAIRS:
        assert read.judge(read.sketch(one), read.sketch(other)) == model.judge(model.sketch(one), model.sketch(other))
    assert addresses.packed(read) == data


@pytest.mark.parametrize("unpacked", [located.unpacked, addresses.unpacked])
def test_bytes_that_are_something_else_are_refused(unpacked: Callable[[bytes], object]) -> None:
    bodies: tuple[object, ...] = ({}, [], None, {"trees": 1})
    nothing = [pack({"located": each, "addresses": each}, {}) for each in bodies]
    for data in (b"", b"nothing", pack({}, {}), located.packed(train(*history()))[:-9], *nothing):
        with pytest.raises(BadModel):
            unpacked(data)


def test_each_reads_its_own_kind_only(model: LocatedModel) -> None:
    with pytest.raises(BadModel):
        addresses.unpacked(located.packed(model))
    with pytest.raises(BadModel):
        located.unpacked(addresses.packed(shipped()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": (0.0,) * 15}, "for each of 16 signs"),
        ({"scale": (0.0,) * 16}, "for each of 16 signs"),
        ({"kinds": {"lamp": located.Effect(0.0, (1.0,))}}, "not 3 slopes"),
        ({"kins": {"light": located.Effect(0.0, ())}}, "not 3 slopes"),
        ({"usual": ()}, "no usual beliefs"),
        ({"reach": Reach(metres=1e9)}, "a reach of"),
        ({"reach": Reach(days=0)}, "a reach of"),
        ({"bias": float("nan")}, "not how located cases are compared"),
    ],
)
def test_a_located_model_that_would_fail_where_it_is_asked_is_refused(
    model: LocatedModel, change: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(BadModel, match=said):
        located.unpacked(located.packed(msgspec.structs.replace(model, **change)))


def cut(**change: object) -> bytes:
    """The shipped model with something else in it."""
    plain: dict[str, Any] = msgspec.to_builtins(shipped())
    trees = {key: change.pop(key) for key in list(change) if key in plain["trees"]}
    return pack({"addresses": {**plain, **change, "trees": {**plain["trees"], **trees}}}, {})


def text(slots: bytes) -> str:
    return base64.b64encode(zlib.compress(slots)).decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rarity": "no rarity"}, "not how address texts are compared"),
        ({"rarity": text(b"few")}, "the rarity has not"),
        ({"rarity": text(bytes(1 << 24))}, "the rarity has not"),
        ({"tilt": [1.0]}, "not a start and a tilt"),
        ({"start": []}, "not a start and a tilt"),
        ({"nodes": []}, "not a tree of"),
        ({"nodes": [1]}, "not a tree of"),
        ({"nodes": [0, 1, 1]}, "not a tree of"),
        ({"nodes": [1, 1, 16]}, "not a tree of"),
        ({"values": [0.0]}, "the trees are cut"),
        ({"signs": [0]}, "the trees are cut"),
    ],
)
def test_a_model_of_addresses_that_would_fail_where_it_is_asked_is_refused(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(BadModel, match=said):
        addresses.unpacked(cut(**change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signs": [0, 190, 0]}, "signs that there are not"),
        ({"signs": [0, -1, 0]}, "signs that there are not"),
        ({"remain": [2, 2, 1 << 16]}, "leaves that there are not"),
        ({"remain": [2, 2, 1]}, "a tree without an answer"),
        ({}, None),
    ],
)
def test_every_tree_finds_its_way_to_a_leaf(change: dict[str, object], said: str | None) -> None:
    stumps = {"nodes": [1] * 3, "signs": [0] * 3, "most": [0.5] * 3, "remain": [2] * 3, "values": [0.1] * 6}
    data = cut(**{**stumps, **change})
    if said is None:
        model = addresses.unpacked(data)
        assert model.judge(model.sketch("长江路1号"), model.sketch("长江路"))[0] in ("same", "partial", "different")
        return
    with pytest.raises(BadModel, match=said):
        addresses.unpacked(data)
