"""Streets and the whole of an address, as cities write it where they have no point."""

import pytest

from dispatch.intake.streets import NOWHERE, address


@pytest.mark.parametrize(
    ("text", "streets"),
    [
        ("12 Oak St  Northside  XX  01234", {"oak st, northside"}),
        ("12-14A Oak St  Northside  XX  01234", {"oak st, northside"}),
        ("INTERSECTION of Oak St & Elm St  Northside  XX  ", {"oak st, northside", "elm st, northside"}),
        ("INTERSECTION Oak St & Elm St", {"oak st, ", "elm st, "}),
        ("Oak St, Northside, XX", {"oak st, northside"}),
        ("   ", set()),
    ],
)
def test_streets_are_read_with_their_quarter(text: str, streets: set[str]) -> None:
    assert address(text).streets == streets


def test_one_address_is_one_whatever_the_order_of_its_streets_and_the_case_of_its_letters() -> None:
    crossing = address("INTERSECTION of Oak St & Elm St  Northside  XX")
    assert crossing.whole == address("Intersection Elm St & Oak St  Northside  XX").whole
    assert crossing.whole != address("INTERSECTION of Oak St & Elm St  Southside  XX").whole
    assert address("12 Oak St  Northside  XX").whole != address("14 Oak St  Northside  XX").whole
    assert address(" ") == NOWHERE
