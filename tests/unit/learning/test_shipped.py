"""What comes with the service is a model like any other: with figures, and with the rows it was made from."""

from pathlib import Path

import pytest

from dispatch.intake.words import packed
from dispatch.learning import tables
from dispatch.learning.addresses import MACRO_F1, read
from dispatch.learning.comparing import PRECISION
from dispatch.learning.register import numbered
from dispatch.learning.shipped import shipped
from dispatch.learning.stripping import masked


@pytest.mark.parametrize(("kind", "first"), [("pairs", PRECISION), ("addresses", MACRO_F1)])
def test_it_has_the_figure_that_decides_and_counts_by_its_lower_end(kind: str, first: str) -> None:
    made = shipped(kind)
    assert made is not None
    value, low, high = made.figures[first]
    assert 0 < low == value < high <= 1


@pytest.mark.parametrize("kind", ["subjects", "units", "located"])
def test_of_other_kinds_a_citys_first_model_replaces_none(kind: str) -> None:
    assert shipped(kind) is None


def test_a_citys_own_pairs_are_new_to_it() -> None:
    made = shipped("pairs")
    assert made is not None
    assert not made.has_seen(numbered([["a", "b"]])).any()


def test_it_knows_the_public_pairs_again_that_it_was_made_from(pytestconfig: pytest.Config) -> None:
    """Else a model learned from these would be held against one that remembers them."""
    data = pytestconfig.rootpath.parent / "shared" / "data"
    if not data.exists():
        pytest.skip("the public data are not here")
    for kind, rows in (("pairs", _messages(data)), ("addresses", _addresses(data))):
        made = shipped(kind)
        assert made is not None
        assert made.has_seen(numbered(rows)).all(), kind


def _messages(data: Path) -> list[list[str]]:
    said = tables.messages(data / "messages" / "stream.csv")
    judged = tables.pairs(data / "messages" / "duplicate_pairs.csv", said, judged=True)
    return [sorted(packed(said[each]).hex() for each in (pair.one, pair.other)) for pair in judged]


def _addresses(data: Path) -> list[list[str]]:
    judged = read(data / "addresses" / "pairs.csv", judged=True)
    return [[masked(pair.one), masked(pair.other)] for pair in judged[::50]]
