"""The traffic light of a running limit."""

import pytest

from sla.light import light


@pytest.mark.parametrize(
    ("used", "colour"),
    [(0.0, "green"), (0.799999, "green"), (0.8, "yellow"), (1.0, "yellow"), (1.000001, "red"), (30.0, "red")],
)
def test_the_light_turns_yellow_at_eighty_percent_and_red_beyond_the_limit(used: float, colour: str) -> None:
    assert light(used) == colour
