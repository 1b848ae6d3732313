"""The published figures: what each is called, and what it is made of. Never two figures of one name with two denominators.

Rates are between 0 and 1 everywhere; only a page multiplies by a hundred, once.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from dispatch.city.model import Indicators
from dispatch.indicators.buckets import BUCKETS, percentile
from dispatch.indicators.contribution import NOTHING, Amount
from dispatch.indicators.marks import STAGES

Kind = Literal["count", "balance", "ratio", "score", "mean", "durations"]
PERCENTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95}
# Before the name of what is kept by day: all of it since the beginning.
TOTAL: Final = "total_"
ASSESSED: Final = "approved appeals (exclusion) of that unit and round; kinds and channels that are not assessed"
LATE: Final = "approved appeals (lateness, exclusion) of that unit and round; kinds and channels that are not assessed"
RATED: Final = "approved appeals (rating, exclusion) of that unit and round; kinds and channels that are not assessed"
NONE: Final = "none"
WORKING: Final = "a working district's daily report (secondary)"
MANAGEMENT: Final = "a city-management system's public files (secondary)"
OURS: Final = "ours"


class Definition(Struct, frozen=True):
    """One figure in words, in both languages; `parts` are the kept figures that it is made of."""

    name: str
    zh: str
    en: str
    kind: Kind
    formula: str
    numerator: str
    denominator: str
    excluded: str
    source: str
    parts: tuple[str, ...]


class Figure(Struct, frozen=True):
    """A figure with what it is made of: `value` of what is assessed, `raw` of all, both null where there was nothing.

    A rate is between 0 and 1. Durations are in seconds, `value` is the median. Counts have no denominator.
    """

    indicator: str
    numerator: float
    denominator: int | None
    excluded: int
    value: float | None
    raw: float | None
    percentiles: dict[str, int | None] | None = None


def _ratio(
    name: str, zh: str, en: str, numerator: str, denominator: str, excluded: str, source: str, *parts: str
) -> Definition:
    return Definition(
        name, zh, en, "ratio", "numerator / denominator", numerator, denominator, excluded, source, parts or (name,)
    )


def _on_time(clock: str, zh: str, en: str, whose: str) -> Definition:
    return _ratio(
        f"on_time_{clock}",
        zh,
        en,
        "of them met",
        f"clocks `{clock}` that were met or missed, {whose}",
        LATE,
        MANAGEMENT,
    )


def _durations(clock: str, zh: str, en: str, what: str) -> Definition:
    parts = tuple(f"time_{clock}_{step:02}" for step in range(BUCKETS))
    return Definition(
        f"time_{clock}", zh, en, "durations", "p50, p90, p95 over a fixed scale of ten steps a decade, told as the upper end", what,
        "how many", NONE, OURS, parts,
    )  # fmt: skip


def _count(name: str, zh: str, en: str, what: str) -> Definition:
    return Definition(name, zh, en, "count", "count", what, "none", NONE, OURS, (name,))


def _balance(name: str, zh: str, en: str, came: str, left: str) -> Definition:
    formula = f"all {came} minus all {left} since the beginning, at the end of the period"
    return Definition(
        name, zh, en, "balance", formula, "what is there", "none", NONE, OURS, (TOTAL + came, TOTAL + left)
    )


_VALID: Final = "valid follow-ups (有效回访), the last of each round"
_DEFINITIONS: Final = (
    _count("in", "进件量", "cases opened", "cases opened, restored or opened again; on no unit's account"),
    _count("out", "出件量", "cases ended", "cases closed, answered, refused, referred, taken back or merged"),
    _balance("open", "在办量", "open cases", "in", "out"),
    _count("tasks_in", "派单量", "tasks received", "tasks (lead, assist, part) that came to the unit, also to be done again"),
    _count("tasks_out", "任务办出量", "tasks finished", "tasks that the unit answered, returned or lost"),
    _balance("tasks_open", "在办任务量", "open tasks", "tasks_in", "tasks_out"),
    _ratio(
        "closure_rate", "结案率", "closure rate", "of them closed", "cases open, or ended by closing, by the day they came in", ASSESSED,
        MANAGEMENT, "closure",
    ),
    _on_time("close", "按期办结率", "closed on time", "on the account of the lead"),
    _on_time("dispatch", "按时派遣率", "dispatched on time", "on the account of the desk"),
    _on_time("sign", "按时签收率", "signed on time", "on the account of the task's unit"),
    _on_time("contact", "按时联系率", "contacted on time", "on the account of the lead"),
    _on_time("reply", "按时处置率", "answered on time", "on the account of the task's unit"),
    _ratio("response_rate", "响应率", "response rate", "of them contacted", _VALID, RATED, WORKING, "contacted"),
    _ratio("solved_rate", "解决率", "solved rate", "of them solved", _VALID, RATED, WORKING, "solved"),
    Definition(
        "satisfaction_rate", "满意率", "satisfaction rate", "ratio", "(satisfied + basically_satisfied × 基本满意) / denominator",
        "satisfied (4, 5), and basically satisfied (3) for a part", _VALID, RATED, WORKING, ("satisfied", "basically_satisfied"),
    ),
    Definition(
        "composite_score", "综合成绩", "composite score", "score",
        "(weight_response × 响应率 + weight_solved × 解决率 + weight_satisfied × 满意率) / sum of the weights", "weighted answers", _VALID, RATED,
        WORKING, ("contacted", "solved", "satisfied", "basically_satisfied"),
    ),
    _ratio("valid_followup_rate", "有效回访率", "valid follow-ups", "of them valid", "follow-ups made", NONE, OURS, "followup_valid"),
    _ratio(
        "solved_of_closed", "办结解决率", "solved among closed", "of them said to be solved", "closings that say whether it was solved", RATED,
        OURS,
    ),
    _ratio("return_rate", "退单率", "return rate", "of them returned by the unit", "tasks of leads", ASSESSED, MANAGEMENT, "returned"),
    _ratio(
        "rework_of_replied", "返工率(按处置)", "rework per answer", "of them sent back", "answers of leads", ASSESSED, MANAGEMENT,
    ),
    _ratio(
        "rework_of_due", "返工率(按应处置)", "rework per answer due", "of them sent back", "answers of leads that were given or due",
        ASSESSED, MANAGEMENT,
    ),
    _ratio(
        "first_dispatch_accuracy", "首次派单准确率", "first dispatch accuracy", "of them led by one unit through their first round",
        "cases dispatched; on the account of the first lead", ASSESSED, MANAGEMENT, "first_dispatch",
    ),
    Definition(
        "hops", "平均流转单位数", "units per case", "mean", "numerator / denominator", "units that led, one after the other",
        "cases dispatched", NONE, OURS, ("hops",),
    ),
    _ratio(
        "direct_answer_rate", "直接答复率", "direct answers", "of them answered without a unit", "cases, but for calls without a matter",
        "calls without a matter", OURS, "answered_directly",
    ),
    _ratio(
        "repeat_visit_rate", "重复核查率", "repeated visits", "of them soon after another to the same case", "visits asked for", NONE, OURS,
        "repeat_visits",
    ),
    _ratio("visits_spared_rate", "免核查率", "visits spared", "of them answered by another visit", "looks at a place", NONE, OURS, "visits_spared"),
    _durations("sign", "签收时长", "time to sign", "from dispatch to signature"),
    _durations("contact", "首次联系时长", "time to contact", "from dispatch to contact, or the last attempt"),
    _durations("close", "办结时长", "time to close", "from intake, or reopening, to the approved answer"),
    *(
        Definition(
            f"late_{stage}", f"超期停留({stage})", f"minutes past the limit in {stage}", "mean", "numerator / denominator",
            "minutes past the case's limit", f"stretches past the limit in `{stage}`, on the account of who held it", LATE, OURS, (f"late_{stage}",),
        )
        for stage in STAGES
    ),
)  # fmt: skip
DEFINITIONS: Final[Mapping[str, Definition]] = {each.name: each for each in _DEFINITIONS}
# What is asked of a unit each month, one row for each unit below it.
RATES: Final = tuple(each.name for each in _DEFINITIONS if each.kind in ("ratio", "score"))


def published(definition: Definition, parts: Mapping[str, Amount], settings: Indicators) -> Figure:
    """The figure from what was kept; parts that are not there are nothing."""
    amounts = [parts.get(name, NOTHING) for name in definition.parts]
    name = definition.name
    if definition.kind == "count":
        return Figure(name, amounts[0][0], None, 0, amounts[0][0], amounts[0][0])
    if definition.kind == "balance":
        left = amounts[0][0] - amounts[1][0]
        return Figure(name, left, None, 0, left, left)
    if definition.kind == "durations":
        counts = {step: amount[0] for step, amount in enumerate(amounts)}
        told = {each: percentile(counts, share) for each, share in PERCENTILES.items()}
        return Figure(name, sum(counts.values()), sum(counts.values()), 0, told["p50"], told["p50"], told)
    weights = _weights(definition, settings)
    numerator = sum(weight * amount[0] for weight, amount in zip(weights, amounts, strict=True))
    outside = sum(weight * amount[3] for weight, amount in zip(weights, amounts, strict=True))
    _, denominator, excluded, _ = amounts[0]
    whole = denominator + excluded
    if definition.kind == "score" and not any(weights):
        return Figure(name, 0, denominator, excluded, None, None)
    return Figure(
        name, round(numerator, 4), denominator, excluded, round(numerator / denominator, 6) if denominator else None,
        round((numerator + outside) / whole, 6) if whole else None,
    )  # fmt: skip


def _weights(definition: Definition, settings: Indicators) -> tuple[float, ...]:
    """What one of each part counts for."""
    part = settings.basically_satisfied
    if definition.name == "satisfaction_rate":
        return 1, part
    if definition.kind != "score":
        return (1,) * len(definition.parts)
    each = settings.weight_response, settings.weight_solved, settings.weight_satisfied
    total = sum(each) or 1
    response, solved, satisfied = (weight / total for weight in each)
    return response, solved, satisfied, satisfied * part
