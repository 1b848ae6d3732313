"""Every limit of a real city's filing and closing standards is read, and loudly refused where the dialect is not declared."""

import csv
from collections import Counter

import pytest

from sla.errors import AmbiguousLimit
from sla.limits import parse_limit
from tests.acceptance.service import shared

ROWS = 519
# Counted by hand: 天, 小时, 紧急工作时 (one with a remark), 紧急工作日.
READ = {"wd": 412, "wh": 61, "h": 42, "d": 4}


def test_every_limit_of_a_city_s_standards_is_read_in_its_dialect(pytestconfig: pytest.Config) -> None:
    with shared(pytestconfig, "standards/case_standards.csv").open(encoding="utf-8-sig", newline="") as file:
        written = [row["limit"] for row in csv.DictReader(file)]
    assert len(written) == ROWS
    assert Counter(parse_limit(text, "city-management").unit for text in written) == READ
    bare = [text for text in written if text.endswith(("天", "小时"))]
    assert len(bare) == READ["wd"] + READ["wh"]
    for text in bare:
        with pytest.raises(AmbiguousLimit):
            parse_limit(text)
