"""What may follow what: the transitions of cases and of assignments, as data.

Each row names the action, the states it starts from, the state it leads to, the permission it needs and the requirement
behind it. An action that is not in the table for the present state is refused with the actions that are.
"""

from dataclasses import dataclass

from dispatch.domain.errors import ActionNotAllowed

WAITING = ("received", "triage")
AT_UNIT = ("to_sign", "handling")
LIVE_TASK = frozenset({"to_sign", "handling", "replied"})
# Steps that follow from another action or from recorded history: nobody asks for them by name.
CONSEQUENCES = frozenset({"approve_without_followup", "withdraw", "settle"})
OPEN = frozenset({
    "received", "need_info", "triage", "verifying", "consulting", "to_sign", "returned", "ruling", "handling", "suspended", "review", "followup",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One row: `action` leads from any of `sources` to `target`."""

    action: str
    sources: tuple[str, ...]
    target: str
    permission: str
    requirement: str


CASE_STEPS = (
    Step(
        "dispatch",
        (*WAITING, "returned"),
        "to_sign",
        "case.dispatch",
        "S08 one lead; S06 the clock runs on over a redispatch",
    ),
    Step("sign", ("to_sign",), "handling", "case.sign", "S24 signing is timed by unit"),
    Step("contact", ("handling",), "handling", "case.reply", "the citizen is contacted first (先行联系)"),
    Step("return", AT_UNIT, "returned", "case.return", "S06 a return needs a reason and reaches the dispatch desk"),
    Step("reply", ("handling",), "review", "case.reply", "S09 the unit's confirmed answer ends its clock"),
    Step(
        "suspend",
        ("handling",),
        "suspended",
        "case.adjust",
        "挂账: only an approved suspension stops the case clock, and a promised day ends it",
    ),
    Step("resume", ("suspended",), "handling", "case.adjust", "what was left when it was suspended is left again"),
    Step("extend", ("handling",), "handling", "case.adjust", "延期: only an approved extension moves the case clock"),
    *(
        Step("reclassify", (state,), state, "case.dispatch", "S04 urgency is what the matter is, and limits follow it")
        for state in sorted(OPEN)
    ),
    Step("approve", ("review",), "followup", "case.approve", "S03 办结 is not closing: the citizen is asked"),
    Step(
        "approve_without_followup",
        ("review",),
        "closed",
        "case.approve",
        "a device, a patrol or an anonymous caller cannot be asked",
    ),
    Step("close", ("followup",), "closed", "case.close", "S03 closing says whether it was solved"),
    Step("reopen", ("closed",), "to_sign", "case.reopen", "a repeat on an unsolved closed case is never swallowed"),
    Step(
        "settle",
        tuple(sorted(OPEN)),
        "closed",
        "case.settle",
        "backfill: the closing of a recorded case at its recorded time",
    ),
)

ASSIGNMENT_STEPS = (
    Step("sign", ("to_sign",), "handling", "case.sign", "S24"),
    Step("contact", ("handling",), "handling", "case.reply", "先行联系"),
    Step("return", AT_UNIT, "returned", "case.return", "S06"),
    Step("reply", ("handling",), "replied", "case.reply", "S09"),
    Step("approve", ("replied",), "done", "case.approve", "S03"),
    Step("withdraw", (*AT_UNIT, "replied"), "withdrawn", "case.dispatch", "S08 a redispatch leaves no second lead"),
    Step("settle", (*AT_UNIT, "replied"), "done", "case.settle", "backfill"),
)

_CASE = {(source, step.action): step for step in CASE_STEPS for source in step.sources}
_ASSIGNMENT = {(source, step.action): step for step in ASSIGNMENT_STEPS for source in step.sources}


def case_step(state: str, action: str) -> Step:
    """The row for `action` on a case in `state`; raises ActionNotAllowed with what is allowed."""
    return _find(_CASE, CASE_STEPS, "case", state, action)


def assignment_step(state: str, action: str) -> Step:
    """The row for `action` on an assignment in `state`; raises ActionNotAllowed with what is allowed."""
    return _find(_ASSIGNMENT, ASSIGNMENT_STEPS, "assignment", state, action)


def allowed(state: str) -> list[str]:
    """Actions that people can take on a case in `state`."""
    return _possible(CASE_STEPS, state)


def _possible(steps: tuple[Step, ...], state: str) -> list[str]:
    return sorted({step.action for step in steps if state in step.sources} - CONSEQUENCES)


def _find(table: dict[tuple[str, str], Step], steps: tuple[Step, ...], noun: str, state: str, action: str) -> Step:
    try:
        return table[state, action]
    except KeyError:
        refusal = ActionNotAllowed(action=action, noun=noun, state=state, allowed_actions=_possible(steps, state))
        raise refusal from None
