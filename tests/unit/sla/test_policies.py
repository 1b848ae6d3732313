"""Which limit a clock has, and how a wrong file is refused."""

from pathlib import Path

import pytest

from sla.clocks import CLOCKS, URGENCIES
from sla.errors import Fault, PolicyFaults
from sla.limits import Limit, Mode
from sla.policies import BRANCHES, KINDS, PolicyBook, PolicyLimit

DEFAULTS = Path(__file__).parents[3] / "config" / "policies.toml"


def row(name: str, limit: str = "5wd", mode: str = "day_end", **selectors: object) -> str:
    return row_for(name, selectors, limit, mode)


def row_for(name: str, selectors: dict[str, object], limit: str = "5wd", mode: str = "day_end") -> str:
    fields = {"id": name, "clock": "close"} | selectors | {"limit": limit, "mode": mode}
    return "[[policy]]\n" + "".join(f"{field} = {value!r}\n" for field, value in fields.items())


def book(*rows: str) -> PolicyBook:
    return PolicyBook.parse("".join(rows), "policies.toml")


def rule(
    policies: PolicyBook,
    clock: str = "close",
    *,
    category: tuple[str, ...] = ("S0101", "S01"),
    kind: str = "complaint",
    urgency: str = "ordinary",
    branch: str = "subject",
) -> str | None:
    found = policies.limit(clock, category=category, kind=kind, urgency=urgency, branch=branch)
    return found.rule if found else None


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyFaults) as refused:
        PolicyBook.parse(text, "policies.toml")
    assert all(fault.file == "policies.toml" for fault in refused.value.faults)
    assert all(str(fault) in str(refused.value) for fault in refused.value.faults)
    return [(fault.line, fault.field) for fault in refused.value.faults]


def test_a_row_gives_its_limit_its_mode_and_its_name() -> None:
    found = book(row("one", "4wh", "hours8")).limit("close", category=(), kind="help", urgency="urgent", branch="event")
    assert found == PolicyLimit(Limit(4, "wh"), "hours8", "one")


def test_a_clock_without_a_row_has_no_limit() -> None:
    assert rule(book(row("one")), "sign") is None


def test_specificity_is_category_depth_then_urgency_then_branch_then_kind() -> None:
    rows = [
        row("any"),
        row("kind", kind="complaint"),
        row("branch", branch="subject"),
        row("branch-kind", branch="subject", kind="complaint"),
        row("urgency", urgency="ordinary"),
        row("parent", category="S01"),
        row("code", category="S0101"),
        row("code-urgency", category="S0101", urgency="ordinary"),
    ]
    ranking = [rule(book(*rows[:count])) for count in range(1, len(rows) + 1)]
    assert ranking == ["any", "kind", "branch", "branch-kind", "urgency", "parent", "code", "code-urgency"]
    assert rule(book(*reversed(rows))) == "code-urgency"


def test_a_row_with_arrays_matches_each_of_their_values() -> None:
    policies = book(row("both", clock=["close", "reply"], kind=["help", "complaint"]), row("consult", kind="consult"))
    assert [rule(policies, clock) for clock in ("close", "reply", "sign")] == ["both", "both", None]
    assert [rule(policies, kind=kind) for kind in ("help", "consult", "suggest")] == ["both", "consult", None]


def test_a_limit_of_the_category_table_goes_before_all_but_rows_for_the_category() -> None:
    policies = book(
        row("any", clock=["close", "reply", "sign"]),
        row("event", branch="event", mode="hours8"),
        row("gas", "2h", category="S07", clock=["close", "reply"]),
    )
    given = Limit(3, "wd")

    def limit(clock: str, category: tuple[str, ...], branch: str) -> PolicyLimit | None:
        return policies.limit(
            clock, category=category, kind="help", urgency="ordinary", branch=branch, category_limit=given
        )

    assert limit("close", ("S01",), "subject") == PolicyLimit(given, "day_end", "category")
    assert limit("reply", ("S01",), "subject") == PolicyLimit(given, "day_end", "category")
    assert limit("close", ("E01",), "event") == PolicyLimit(given, "hours8", "category")
    assert limit("close", ("S0703", "S07"), "subject") == PolicyLimit(Limit(2, "h"), "day_end", "gas")
    assert limit("sign", ("S01",), "subject") == PolicyLimit(Limit(5, "wd"), "day_end", "any")
    assert book(row("gas", category="S07")).limit(
        "close", category=("E01",), kind="help", urgency="ordinary", branch="event", category_limit=given
    ) == PolicyLimit(given, "hours8", "category")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"urgency": "urgent"}, {"urgency": ["critical", "urgent"]}),
        ({"clock": ["close", "sign"], "kind": "help"}, {"clock": ["reply", "close"], "kind": ["help", "other"]}),
        ({"category": "S01", "branch": "event"}, {"category": ["S02", "S01"], "branch": "event"}),
    ],
)
def test_two_rows_that_match_the_same_and_are_equally_specific_are_a_fault(
    one: dict[str, object], other: dict[str, object]
) -> None:
    first = row_for("one", one)
    assert faults(first + row_for("other", other)) == [(first.count("\n") + 1, "")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"urgency": "urgent"}, {"urgency": "critical"}),
        ({"kind": "help"}, {"branch": "event"}),
        ({"clock": "sign"}, {"clock": "close"}),
        ({"category": "S01"}, {"category": "S0101"}),
    ],
)
def test_rows_that_differ_in_a_value_or_in_what_they_name_are_not_ambiguous(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert len(book(row_for("one", one), row_for("other", other)).policies) == 2


def test_every_fault_of_a_file_is_told_at_once_with_its_line() -> None:
    text = """
[[policy]]
id = 7
clock = "closing"
limit = "5天"
modus = "hours8"

[[policy]]
id = "same"
clock = "close"
kind = ["help", "begging"]
limit = "2 weeks"
mode = "sometimes"

[[policy]]
id = "same"
clock = "sign"
limit = "1wd"
mode = "day_end"

[[policy]]
id = "same"
clock = "reply"
urgency = ["urgent", "urgent"]
category = ""
branch = []
limit = "1wd"
mode = "day_end"

[[policy]]
id = "category"
limit = "1wd"
mode = "day_end"

[other]
clock = "close"
"""
    assert faults(text) == [
        (2, "mode"),
        (3, "id"),
        (4, "clock"),
        (5, "limit"),
        (6, "modus"),
        (11, "kind"),
        (12, "limit"),
        (13, "mode"),
        (24, "urgency"),
        (25, "category"),
        (26, "branch"),
        (30, "clock"),
        (31, "id"),
        (35, "other"),
    ]


def test_an_id_used_twice_is_a_fault() -> None:
    assert faults(row("same") + row("same", clock="sign")) == [(6, "id")]


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("# a city\n[[policy]\n", 2, ""),
        ("\npolicy = [{id = 'a', clock = 'close', limit = '1wd', mode = 'hours8'}]", 2, "policy"),
        ("policy = 'none'", 1, "policy"),
    ],
)
def test_a_file_of_another_shape_is_a_fault(text: str, line: int, field: str) -> None:
    assert faults(text) == [(line, field)]


def test_a_fault_reads_as_file_line_field_and_problem() -> None:
    assert str(Fault("p.toml", 3, "limit", "is missing")) == "p.toml:3: limit: is missing"
    assert str(Fault("p.toml", 3, "", "not TOML")) == "p.toml:3: not TOML"


@pytest.fixture(scope="module")
def defaults() -> PolicyBook:
    return PolicyBook.parse(DEFAULTS.read_text(encoding="utf-8"), DEFAULTS.name)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_defaults_give_every_clock_a_limit_whatever_the_case(defaults: PolicyBook, clock: str) -> None:
    for urgency in URGENCIES:
        for branch in (*BRANCHES, ""):
            for kind in (*KINDS, ""):
                assert defaults.limit(clock, category=(), kind=kind, urgency=urgency, branch=branch) is not None


@pytest.mark.parametrize(
    ("clock", "kind", "urgency", "branch", "limit", "mode"),
    [
        ("dispatch", "help", "urgent", "subject", "30min", "day_end"),
        ("dispatch", "help", "ordinary", "subject", "2h", "day_end"),
        ("sign", "help", "critical", "subject", "30min", "day_end"),
        ("sign", "help", "ordinary", "subject", "1wd", "day_end"),
        ("contact", "help", "urgent", "subject", "2h", "day_end"),
        ("contact", "help", "ordinary", "subject", "24h", "day_end"),
        ("close", "consult", "ordinary", "subject", "3wd", "day_end"),
        ("close", "complaint", "ordinary", "subject", "5wd", "day_end"),
        ("close", "suggest", "ordinary", "subject", "10wd", "day_end"),
        ("reply", "tipoff", "critical", "subject", "2h", "day_end"),
        ("close", "complaint", "ordinary", "component", "2wd", "hours8"),
        ("close", "patrol", "critical", "event", "2h", "hours8"),
        ("rectify", "help", "ordinary", "subject", "3wd", "day_end"),
    ],
)
def test_the_defaults_are_the_recommended_set(
    defaults: PolicyBook, clock: str, kind: str, urgency: str, branch: str, limit: str, mode: Mode
) -> None:
    found = defaults.limit(clock, category=(), kind=kind, urgency=urgency, branch=branch)
    assert found is not None
    assert (str(found.limit), found.mode) == (limit, mode)


def test_every_default_says_that_it_is_one() -> None:
    blocks = DEFAULTS.read_text(encoding="utf-8").split("[[policy]]")
    assert all("Default, change per city." in comment for comment in blocks[:-1])


def test_a_deeper_area_and_then_a_level_go_before_branch_and_kind_and_after_the_urgency() -> None:
    rows = [
        row("kind", kind="complaint"),
        row("branch", branch="subject"),
        row("level", level=3),
        row("city", area="9901"),
        row("district", area="990101", level=[3, 4]),
        row("urgent", urgency="urgent"),
    ]
    policies = book(*rows)
    assert policies.named == {"area", "level"}

    def chosen(area: tuple[str, ...] = (), level: int | None = None, urgency: str = "ordinary") -> str:
        found = policies.limit(
            "close", category=(), kind="complaint", urgency=urgency, branch="subject", area=area, level=level
        )
        assert found is not None
        return found.rule

    assert chosen() == "branch"
    assert chosen(level=3) == "level"
    assert chosen(("990102", "9901"), 3) == "city"
    assert chosen(("990101003", "990101", "9901"), 4) == "district"
    assert chosen(("990101", "9901"), 2) == "city"
    assert chosen(("990101", "9901"), 3, "urgent") == "urgent"


def test_a_statutory_row_goes_before_every_other_and_quotes_its_law() -> None:
    law = row_for("law", {"citation": "某市热线条例 第二十条"}, "3wd")
    policies = book(row("fine", category="S0101", urgency="ordinary"), law, row("any"))
    found = policies.limit(
        "close",
        category=("S0101", "S01"),
        kind="help",
        urgency="ordinary",
        branch="subject",
        category_limit=Limit(9, "wd"),
    )
    assert found == PolicyLimit(Limit(3, "wd"), "day_end", "law", "某市热线条例 第二十条")
    assert rule(policies, "close", category=("S07",)) == "law"


def test_two_statutory_rows_that_are_equally_specific_are_a_fault() -> None:
    laws = [row_for(name, {"citation": name}) for name in ("one", "two")]
    assert faults("".join(laws))[0][1] == ""


@pytest.mark.parametrize(("field", "value"), [("level", "three"), ("level", -1), ("level", [3, 3]), ("citation", "")])
def test_a_wrong_level_or_an_empty_citation_is_named(field: str, value: object) -> None:
    assert [name for _, name in faults(row_for("one", {field: value}))] == [field]
