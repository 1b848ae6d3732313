"""Who was late in two real cities, computed anew from their own times."""

import pytest

from connectors.history.lateness import Backtest, backtest, clocked_rows
from connectors.history.mapping import read_mapping
from dispatch.city.files import CONFIG
from tests.acceptance.service import shared


def judged(config: pytest.Config, file: str, mapping: str) -> Backtest:
    rows = clocked_rows(shared(config, file), read_mapping(CONFIG / "mappings" / mapping))
    found = backtest(list(rows))
    assert found.read == found.judged + found.left_out.total()
    assert sum(unit.judged for unit in found.units.values()) == found.judged
    assert sum(unit.late for unit in found.units.values()) == found.late
    return found


def test_boston_s_own_flags_agree_with_its_times(pytestconfig: pytest.Config) -> None:
    found = judged(pytestconfig, "boston/cases.csv.gz", "boston.toml")
    assert found.read == 31_828
    assert found.flagged > 26_000
    assert found.agreement is not None
    assert found.agreement >= 0.996


def test_every_row_of_baltimore_is_judged_or_left_out_with_a_reason(pytestconfig: pytest.Config) -> None:
    found = judged(pytestconfig, "baltimore/cases.csv", "baltimore.toml")
    assert found.read == 10_000
    assert found.judged > 9_500
    assert found.agreement is None
    assert 0.1 < found.late / found.judged < 0.25
