"""What is printed of proposals that went astray."""

from dispatch.learning.astray import matrix, worth_fixing

TRUE = ["drainage"] * 6 + ["gas"] * 2 + ["roads", "water", "power"]
FIRST = ["water"] * 4 + ["drainage"] * 2 + ["gas", "roads"] + ["gas"] * 3
ROWS = (
    [{"matter": "ponding", "street": "a"}] * 6
    + [{"matter": "smell", "street": "a"}] * 2
    + [{"matter": "other", "street": "b"}] * 3
)


def test_the_matrix_says_whose_work_would_have_gone_to_whom_and_nothing_of_what_was_right() -> None:
    assert matrix(TRUE, FIRST) == {
        ("water", "drainage"): 4, ("roads", "gas"): 1, ("gas", "roads"): 1, ("gas", "water"): 1, ("gas", "power"): 1,
    }  # fmt: skip


def test_a_row_is_worth_fixing_where_one_unit_clearly_has_what_went_astray() -> None:
    (worst,) = worth_fixing(ROWS, ("matter",), TRUE, FIRST)
    assert (worst.key, worst.cases, worst.astray, worst.unit, worst.share) == (("ponding",), 6, 4, "drainage", 1.0)


def test_the_worst_comes_first() -> None:
    rows = [{"m": "x"}] * 3 + [{"m": "y"}] * 5
    found = worth_fixing(rows, ("m",), ["u"] * 8, ["v"] * 8)
    assert [(each.key, each.astray) for each in found] == [(("y",), 5), (("x",), 3)]


def test_without_anything_astray_nothing_is_worth_fixing() -> None:
    assert worth_fixing(ROWS, ("matter", "street"), TRUE, TRUE) == []
