"""Models as bytes: what is read back judges as before, the same model makes the same bytes, anything else is refused."""

import pickle
import random

import numpy as np
import pytest

from dispatch.intake import subjects, units
from dispatch.intake.packing import BadModel, pack, unpack
from dispatch.intake.subjects import Trust
from dispatch.learning import routing
from dispatch.learning.subjects import fit, trust
from tests.unit.learning.test_routing import COLUMNS, handled
from tests.unit.learning.test_subjects import texts


def test_a_model_of_subjects_judges_the_same_after_it_was_read_back() -> None:
    model = fit(*texts(150, 1), texts(20, 2)[0]).classifier
    read = subjects.unpacked(model.packed())
    for text in ("", "😀", *texts(30, 3)[0]):
        assert read.ranked(text, 3) == model.ranked(text, 3)
    assert read.trust == model.trust
    assert read.packed() == model.packed()


def test_a_model_of_units_ranks_the_same_after_it_was_read_back() -> None:
    model = routing.fit(handled(range(60)), COLUMNS, "unit", "time")
    read = units.unpacked(model.packed())
    new = [*handled(range(60, 63), seed=5), {"community": "无名社区", "matter": "?"}]
    assert read.rank(new) == model.rank(new)
    assert read.columns == COLUMNS
    assert read.packed() == model.packed()


def test_the_same_history_makes_the_same_model() -> None:
    rows = handled(range(60))
    assert routing.fit(rows, COLUMNS, "unit", "time").packed() == routing.fit(rows, COLUMNS, "unit", "time").packed()


@pytest.mark.parametrize("read", [subjects.unpacked, units.unpacked])
def test_what_is_no_model_is_refused(read: object) -> None:
    assert callable(read)
    objects = pack({}, {})[:-1]
    for data in (b"", b"x" * 100, pickle.dumps([1]), objects, pack({"units": []}, {"role": np.zeros(1)})):
        with pytest.raises(BadModel):
            read(data)


def test_arrays_of_objects_are_never_read() -> None:
    data = pack({}, {"x": np.array([{}], object)})
    with pytest.raises(BadModel):
        unpack(data)


def test_suggestions_are_sure_together_as_one_and_the_first_leads() -> None:
    ranked = fit(*texts(150, 1), []).classifier.ranked("红绿灯堵车，油烟", 3)
    assert sum(sure for _, sure in ranked) == pytest.approx(1)
    assert len({label for label, _ in ranked}) == 3
    assert ranked[1][1] >= ranked[2][1]


def test_a_threshold_is_the_least_confidence_from_which_enough_is_right() -> None:
    ways = random.Random(1)
    sure = np.array([n / 1000 for n in range(1000)], np.float32)
    right = np.array([ways.random() < (1.0 if s >= 0.6 else 0.5) for s in sure.tolist()])
    at = trust(sure, right).threshold(0.97)
    assert at is not None
    assert 0.55 < at < 0.65
    assert right[sure >= at].mean() >= 0.97
    assert trust(sure, right).threshold(0.9) < at  # type: ignore[operator]


def test_few_texts_are_never_trusted_however_right_they_were() -> None:
    assert trust(np.linspace(0, 1, 60, dtype=np.float32), np.ones(60, np.bool_)).threshold(0.97) is None
    assert Trust([], []).threshold(0.5) is None
