"""What may follow what: the transitions of cases and of assignments, as data.

Each row names the action, the states it starts from, the state it leads to, the permission it needs and the requirement
behind it. An action that is not in the table for the present state is refused with the actions that are.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from dispatch.domain.errors import ActionNotAllowed

AT_DESK = ("received", "need_info", "triage")
AT_UNIT = ("to_sign", "handling")
# Somebody leads the case.
WITH_LEAD = (*AT_UNIT, "suspended", "review", "followup")
# Nobody leads the case: what a unit must do has no unit yet, or no more.
WITHOUT_LEAD = ("received", "need_info", "triage", "verifying", "consulting", "returned", "ruling")
LIVE_TASK = frozenset({"to_sign", "handling", "replied"})
# Steps that follow from another action, from an instant that came or from recorded history: nobody asks for them by name.
CONSEQUENCES = frozenset({
    "inform", "checked", "return_to_ruling", "appoint", "approve_without_followup", "evaluate_badly", "withdraw", "settle",
    "draft",
})  # fmt: skip
OPEN = frozenset({
    "received", "need_info", "triage", "verifying", "consulting", "to_sign", "returned", "ruling", "handling", "suspended", "review", "followup",
})  # fmt: skip
# Where a case is over; it may be opened anew, or restored.
OVER = frozenset({"closed", "answered", "rejected", "merged", "referred", "terminated"})


ENDED = frozenset({"answered", "rejected", "merged", "referred", "terminated", "closed"})


@dataclass(frozen=True, slots=True)
class Step:
    """One row: `action` leads from any of `sources` to `target`."""

    action: str
    sources: tuple[str, ...]
    target: str
    permission: str
    requirement: str


def _staying(action: str, states: Collection[str], permission: str, requirement: str) -> tuple[Step, ...]:
    """Rows of an action that leaves the case where it is."""
    return tuple(Step(action, (state,), state, permission, requirement) for state in sorted(states))


_DESK: Final = (
    Step("accept", ("received", "need_info"), "triage", "case.desk", "b7.4 受理: a matter that a unit must look at"),
    Step("ask", ("received", "triage", "returned"), "need_info", "case.desk", "b7.4 待补充, with its limit"),
    Step("inform", ("need_info",), "triage", "case.desk", "b7.4 the information arrives"),
    Step("answer", AT_DESK, "answered", "case.desk", "S14 即时答复; S61 out of the knowledge base"),
    Step("end", ("received",), "answered", "case.desk", "S01 a call without a matter ends with one key"),
    Step(
        "reject", (*AT_DESK, "returned"), "rejected", "case.desk", "b7.5 不予受理: reason, basis, text told, a person"
    ),
    Step("refer", (*AT_DESK, "returned"), "referred", "case.desk", "b7.5 to 110, 119, 120, 122 or a legal channel"),
    Step("restore", ("answered", "rejected", "referred", "terminated"), "triage", "case.restore", "S02 reversible"),
    Step("send_back", ("triage", "returned"), "received", "case.dispatch", "b7.2 dispatcher to acceptor, fields kept"),
    Step(
        "retract",
        (*WITHOUT_LEAD, *AT_UNIT, "suspended"),
        "terminated",
        "case.desk",
        "撤诉: the caller takes it back; it goes on if others remain",
    ),
    *_staying("call", OPEN, "case.call", "S40 a logged call; danger demands one, with three on the line if need be"),
    Step("expunge", tuple(sorted(OPEN)), "rejected", "case.expunge", "b7.5 a secret does not stay in this system"),
)
_DISPATCH: Final = (
    Step("check", ("triage",), "verifying", "case.dispatch", "S10 核查 by the nearest collector, once a place"),
    Step("checked", ("verifying",), "triage", "check.report", "b7.4 the visit's result"),
    Step("consult", ("triage", "returned"), "consulting", "case.dispatch", "S32 派单前会商, with its record"),
    Step(
        "dispatch",
        ("received", "triage", "consulting", "returned"),
        "to_sign",
        "case.dispatch",
        "S08 one lead; S06 the clock runs on over a redispatch",
    ),
    Step("redispatch", AT_UNIT, "to_sign", "case.dispatch", "改派: S08 the former lead's task ends with it"),
    Step("emergency", WITHOUT_LEAD, "to_sign", "case.emergency", "S25 act at once, whatever the case waits for"),
    Step("dispute", ("triage", "consulting", "returned"), "ruling", "case.dispatch", "b7.4 争议: a supervisor rules"),
    Step("interim", ("ruling",), "to_sign", "case.dispatch", "b7.3 先办后议: somebody acts while it is discussed"),
    Step("rule", ("ruling", *AT_UNIT), "to_sign", "case.rule", "b7.3 裁定: the unit named cannot return it"),
    Step("appoint", WITHOUT_LEAD, "to_sign", "case.rule", "S53 属地兜底: past the ruling's limit somebody leads"),
    *_staying("assist", AT_UNIT, "case.dispatch", "b7.3 one lead, others co-operate"),
    *_staying("divide", AT_UNIT, "case.dispatch", "S50 一件事: tasks of several units under one lead"),
    *(
        Step("reclassify", (state,), state, "case.dispatch", "S04 urgency is what the matter is, and limits follow it")
        for state in sorted(OPEN)
    ),
    Step(
        "merge",
        (*WITHOUT_LEAD, *AT_UNIT),
        "merged",
        "case.merge",
        "b7.4 并案: numbers and receipts stay, the earlier deadline counts",
    ),
    Step("unmerge", ("merged",), "triage", "case.restore", "b7.4 a merged case is split back by a supervisor"),
    *_staying("note", OPEN, "case.note", "S36 内部备注: what those who work on it tell each other"),
    *_staying("tell", WITH_LEAD, "case.tell", "S30 the citizen hears of progress, or is asked; no clock waits for it"),
    *_staying("attach", OPEN, "case.merge", "S05 a report belongs to the case it is about"),
    *_staying("detach", OPEN, "case.merge", "b7.4 拆案: a report that is about something else"),
    *_staying("dismiss", OPEN, "case.merge", "S19 a suggested match is decided by a person"),
)
_UNIT: Final = (
    Step("sign", ("to_sign",), "handling", "case.sign", "S24 signing is timed by unit"),
    Step("contact", ("handling",), "handling", "case.reply", "the citizen is contacted first (先行联系)"),
    Step("return", AT_UNIT, "returned", "case.return", "S06 a return needs a reason and reaches the dispatch desk"),
    Step("return_to_ruling", AT_UNIT, "ruling", "case.return", "b7.3 so many returns and the hotline designates"),
    Step("reply", ("handling",), "review", "case.reply", "S09 the unit's confirmed answer ends its clock"),
    Step(
        "draft", ("handling",), "handling", "case.reply", "b6.3 a reply that waits for signatures is not the unit's yet"
    ),
    Step("sign_off", ("handling",), "handling", "case.sign_off", "b6.3 签批: the last signature makes it the unit's"),
    Step("reveal", ("handling",), "handling", "case.reveal", "S55 one number, for a purpose, on record"),
    Step("advise", ("consulting",), "consulting", "case.reply", "S32 an invited unit's opinion is on record"),
    *_staying("assign", AT_UNIT, "task.manage", "b7.2 a person of the unit has it"),
    Step("delegate", ("handling",), "handling", "task.manage", "S47 下派: tasks below it; the lead stays answerable"),
    Step("recall", ("handling",), "handling", "task.manage", "b7.2 the internal assignment is revoked"),
    Step("redo", ("handling",), "handling", "task.manage", "b7.2 department to handler: not done well"),
    Step("whistle", ("handling",), "handling", "task.manage", "S32 吹哨报到: a street calls departments"),
    Step("hand_up", AT_UNIT, "to_sign", "task.manage", "S47 上报: one number, one timeline, a level higher"),
    Step("hand_down", AT_UNIT, "to_sign", "task.manage", "S47 下派: one number, one timeline, a level lower"),
)

_SUPERVISION: Final = (
    *_staying("urge", OPEN, "case.urge", "b10 催办: a written reminder of whoever has the next move"),
    *_staying(
        "order", OPEN | ENDED - {"merged"}, "order.issue", "b10 督办单; S31 also about what was refused or closed"
    ),
    *_staying("raise_order", OPEN | ENDED, "order.issue", "b10 blue, orange, red: severity rises"),
    *_staying("answer_order", OPEN | ENDED, "order.answer", "b10 reply needed; an order outlives its case"),
    *_staying("decide_order", OPEN | ENDED, "order.issue", "b10 who ordered accepts the answer or sends it back"),
)

CASE_STEPS = (
    *_DESK,
    *_DISPATCH,
    *_UNIT,
    *_SUPERVISION,
    Step(
        "suspend",
        ("handling",),
        "suspended",
        "case.direct",
        "挂账: only an approved suspension stops the case clock, and a promised day ends it",
    ),
    Step("resume", ("suspended",), "handling", "case.adjust", "what was left when it was suspended is left again"),
    Step("extend", ("handling",), "handling", "case.direct", "延期: only an approved extension moves the case clock"),
    Step("request", ("handling",), "handling", "case.reply", "b6.3 the unit asks for a suspension or an extension"),
    Step("inspect", ("review",), "review", "case.inspect", "核实 before closing: somebody looks whether it was done"),
    Step("waive", ("review",), "review", "case.waive", "a supervisor does without the visit, or against it, on record"),
    Step("decide", ("handling",), "handling", "request.decide", "b6.3 审批: somebody else decides what was asked for"),
    Step("approve", ("review",), "followup", "case.approve", "S03 办结 is not closing: the citizen is asked"),
    Step(
        "approve_without_followup",
        ("review",),
        "closed",
        "case.approve",
        "a device, a patrol or an anonymous caller cannot be asked",
    ),
    Step(
        "report_back", ("followup",), "followup", "case.close", "a superior is told the result of what came from above"
    ),
    Step(
        "attempt", ("followup",), "followup", "case.close", "S54 a try in vain is on record; the next at another hour"
    ),
    Step("close", ("followup",), "closed", "case.close", "S03 closing says whether it was solved"),
    Step(
        "rework",
        ("review",),
        "handling",
        "case.approve",
        "b7.4 重办: not done well, in a new round, by the same person",
    ),
    Step("rectify", ("followup",), "to_sign", "case.close", "S13 a bad review (差评) is put right, with its own limit"),
    Step(
        "conclude",
        ("review", "followup"),
        "closed",
        "case.conclude",
        "b7.5 lawfully dealt with and explained, however often the citizen is not content",
    ),
    Step("evaluate_badly", ("closed",), "to_sign", "case.reopen", "S13 a bad review after the end is put right too"),
    Step("reopen", ("closed",), "to_sign", "case.reopen", "a repeat on an unsolved closed case is never swallowed"),
    Step("appeal", ("closed",), "closed", "case.appeal", "b6.3 考核申诉: after the closing, by the unit that led it"),
    *_staying("judge", OPEN | OVER, "appeal.judge", "b6.3 two steps of review, whatever became of the case meanwhile"),
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
    Step("draft", ("handling",), "handling", "case.reply", "b6.3"),
    Step("sign_off", ("handling",), "handling", "case.sign_off", "b6.3"),
    Step("advise", ("handling",), "replied", "case.reply", "S32"),
    Step("redo", ("replied",), "handling", "task.manage", "b7.2"),
    Step("rework", ("replied",), "handling", "case.approve", "b7.4"),
    Step("hand_up", AT_UNIT, "returned", "task.manage", "S47"),
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


def within(permissions: Collection[str]) -> list[str]:
    """Actions that somebody with these permissions can take on a case in some state."""
    return sorted({step.action for step in CASE_STEPS if step.permission in permissions} - CONSEQUENCES)


def _possible(steps: tuple[Step, ...], state: str) -> list[str]:
    return sorted({step.action for step in steps if state in step.sources} - CONSEQUENCES)


def _find(table: dict[tuple[str, str], Step], steps: tuple[Step, ...], noun: str, state: str, action: str) -> Step:
    try:
        return table[state, action]
    except KeyError:
        refusal = ActionNotAllowed(action=action, noun=noun, state=state, allowed_actions=_possible(steps, state))
        raise refusal from None
