"""The transition tables against a table written by hand from the field's own rules."""

import pytest

from dispatch.domain import workflow
from dispatch.domain.errors import ActionNotAllowed

STATES = [
    "received", "need_info", "triage", "verifying", "consulting", "to_sign", "returned", "ruling",
    "handling", "suspended", "review", "followup", "closed",
    "answered", "rejected", "merged", "referred", "terminated", "archived",
]  # fmt: skip
TASK_STATES = ["to_sign", "handling", "replied", "returned", "withdrawn", "done"]

# 派单 from waiting or returned (改派); 签收; 退单 before or after signing; 反馈; 审核通过 → 回访 → 结案; 重开; no edge from a final state.
CASE = {
    ("received", "dispatch"): "to_sign",
    ("triage", "dispatch"): "to_sign",
    ("returned", "dispatch"): "to_sign",
    ("to_sign", "sign"): "handling",
    ("to_sign", "return"): "returned",
    ("handling", "return"): "returned",
    ("handling", "contact"): "handling",
    ("handling", "reply"): "review",
    # 挂账, 恢复, 延期
    ("handling", "suspend"): "suspended",
    ("suspended", "resume"): "handling",
    ("handling", "extend"): "handling",
    ("review", "approve"): "followup",
    ("followup", "close"): "closed",
    ("closed", "reopen"): "to_sign",
    # nobody can be asked: the approved reply ends the case
    ("review", "approve_without_followup"): "closed",
}
OPEN = STATES[: STATES.index("closed")]
# what it is and how urgent may turn out at any time
RECLASSIFIED = {(state, "reclassify"): state for state in OPEN}
# closings of recorded history come at any time
CASE_OF_HISTORY = {(state, "settle"): "closed" for state in OPEN}
TASK = {
    ("to_sign", "sign"): "handling",
    ("to_sign", "return"): "returned",
    ("handling", "return"): "returned",
    ("handling", "contact"): "handling",
    ("handling", "reply"): "replied",
    ("replied", "approve"): "done",
    ("to_sign", "withdraw"): "withdrawn",
    ("handling", "withdraw"): "withdrawn",
    ("replied", "withdraw"): "withdrawn",
    ("to_sign", "settle"): "done",
    ("handling", "settle"): "done",
    ("replied", "settle"): "done",
}
PERMISSIONS = {
    "dispatch": "case.dispatch",
    "sign": "case.sign",
    "return": "case.return",
    "contact": "case.reply",
    "reply": "case.reply",
    "approve": "case.approve",
    "close": "case.close",
    "reopen": "case.reopen",
    "reclassify": "case.dispatch",
    "suspend": "case.adjust",
    "resume": "case.adjust",
    "extend": "case.adjust",
}


def test_the_table_of_cases_is_the_expected_one() -> None:
    table = {(source, step.action): step.target for step in workflow.CASE_STEPS for source in step.sources}
    assert table == CASE | RECLASSIFIED | CASE_OF_HISTORY


def test_the_table_of_tasks_is_the_expected_one() -> None:
    table = {(source, step.action): step.target for step in workflow.ASSIGNMENT_STEPS for source in step.sources}
    assert table == TASK


def test_every_row_says_why_it_is_there_and_who_may_take_it() -> None:
    for step in (*workflow.CASE_STEPS, *workflow.ASSIGNMENT_STEPS):
        assert step.requirement
        assert step.permission == PERMISSIONS.get(step.action, step.permission)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", [*PERMISSIONS, "approve_without_followup", "settle"])
def test_what_is_not_in_the_table_of_cases_is_refused_with_what_is_possible(state: str, action: str) -> None:
    expected = (CASE | RECLASSIFIED | CASE_OF_HISTORY).get((state, action))
    if expected is not None:
        assert workflow.case_step(state, action).target == expected
        return
    with pytest.raises(ActionNotAllowed) as refusal:
        workflow.case_step(state, action)
    by_hand = sorted(a for s, a in CASE | RECLASSIFIED if s == state and a in PERMISSIONS)
    assert refusal.value.data["allowed_actions"] == by_hand == workflow.allowed(state)


@pytest.mark.parametrize("state", TASK_STATES)
@pytest.mark.parametrize("action", ["sign", "return", "contact", "reply", "approve", "withdraw", "settle"])
def test_what_is_not_in_the_table_of_tasks_is_refused_with_what_is_possible(state: str, action: str) -> None:
    if (state, action) in TASK:
        assert workflow.assignment_step(state, action).target == TASK[state, action]
        return
    with pytest.raises(ActionNotAllowed) as refusal:
        workflow.assignment_step(state, action)
    by_hand = sorted(a for s, a in TASK if s == state and a in PERMISSIONS)
    assert refusal.value.data["allowed_actions"] == by_hand


def test_final_states_have_no_way_out_but_reopening() -> None:
    assert {action for state, action in CASE if state not in OPEN} == {"reopen"}
    assert frozenset(OPEN) == workflow.OPEN
