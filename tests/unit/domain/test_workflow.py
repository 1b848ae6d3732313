"""The transition tables against a table written by hand from the field's own rules."""

import pytest

from dispatch.domain import workflow
from dispatch.domain.errors import ActionNotAllowed
from tests.acceptance.transitions import EXPECTED

STATES = [
    "received", "need_info", "triage", "verifying", "consulting", "to_sign", "returned", "ruling",
    "handling", "suspended", "review", "followup", "closed",
    "answered", "rejected", "merged", "referred", "terminated", "archived",
]  # fmt: skip
TASK_STATES = ["to_sign", "handling", "replied", "returned", "withdrawn", "done"]
OPEN = STATES[: STATES.index("closed")]
CASE = {**EXPECTED["case"], **EXPECTED["consequence"]}
TASK = {**EXPECTED["task"], **EXPECTED["consequence_of_task"]}


def test_the_table_of_cases_is_the_expected_one() -> None:
    assert {(source, step.action): step.target for step in workflow.CASE_STEPS for source in step.sources} == CASE


def test_the_table_of_tasks_is_the_expected_one() -> None:
    assert {(source, step.action): step.target for step in workflow.ASSIGNMENT_STEPS for source in step.sources} == TASK


def test_every_row_says_why_it_is_there_and_an_action_needs_one_permission_wherever_it_starts() -> None:
    needed: dict[str, set[str]] = {}
    for step in workflow.CASE_STEPS:
        assert step.requirement
        needed.setdefault(step.action, set()).add(step.permission)
    assert {action for action, permissions in needed.items() if len(permissions) > 1} == set()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", sorted({action for _, action in CASE}))
def test_what_is_not_in_the_table_of_cases_is_refused_with_what_is_possible(state: str, action: str) -> None:
    if (state, action) in CASE:
        assert workflow.case_step(state, action).target == CASE[state, action]
        return
    with pytest.raises(ActionNotAllowed) as refusal:
        workflow.case_step(state, action)
    by_hand = sorted(a for s, a in EXPECTED["case"] if s == state)
    assert refusal.value.data["allowed_actions"] == by_hand == workflow.allowed(state)


@pytest.mark.parametrize("state", TASK_STATES)
@pytest.mark.parametrize("action", sorted({action for _, action in TASK}))
def test_what_is_not_in_the_table_of_tasks_is_refused_with_what_is_possible(state: str, action: str) -> None:
    if (state, action) in TASK:
        assert workflow.assignment_step(state, action).target == TASK[state, action]
        return
    with pytest.raises(ActionNotAllowed) as refusal:
        workflow.assignment_step(state, action)
    assert refusal.value.data["allowed_actions"] == sorted(a for s, a in EXPECTED["task"] if s == state)


def test_out_of_a_final_state_leads_only_what_a_person_takes_back() -> None:
    assert {action for (state, action), to in CASE.items() if state not in OPEN and to != state} == {
        "evaluate_badly",
        "reopen",
        "restore",
        "unmerge",
    }
    assert frozenset(OPEN) == workflow.OPEN


def test_of_a_case_that_is_over_only_orders_and_appeals_go_on() -> None:
    staying = {action for (state, action), to in CASE.items() if state not in OPEN and to == state}
    assert staying == {"order", "raise_order", "answer_order", "decide_order", "appeal", "judge"}
