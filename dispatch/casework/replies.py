"""The unit's reply (答复): what was found, what came of it, the account for the reviewer, the words for the citizen.

| the unit's `signoff`    | what `reply` writes                                                                   |
|-------------------------|---------------------------------------------------------------------------------------|
| none                    | the unit's confirmed reply                                                            |
| steps (签批)             | a draft; `sign_off` by each step in turn, and with the last one it is confirmed        |

While a draft waits nothing has been answered: the task is handled, its clock runs and climbs, whoever is late with a signature
(b6.3). A refusal gives it back to its writer; another reply takes its place, and so does one that is written before it was signed.
Whatever ends the task lets the draft lapse. The words for the citizen are theirs only once the reply is confirmed.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from dispatch.casework import evidence, inspections
from dispatch.casework.actions import Action, Turn
from dispatch.casework.handling import at_work, lead_moves, moved, stop
from dispatch.casework.leading import at_desk, end_parts
from dispatch.casework.record import case_keys
from dispatch.casework.tasks import answered_parts
from dispatch.domain.cases import Assignment, Words
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.people.keyring import aad
from dispatch.store.statements import load

SQL = load(__file__, "replies")
LEAD = "lead"


@dataclass(frozen=True, slots=True)
class Form:
    """A reply as codes; a task that is no lead's finds nothing and has nothing to say to the citizen."""

    nth: int
    finding: str | None
    outcome: str | None
    reason_code: str | None

    @property
    def codes(self) -> dict[str, Any]:
        """What events say of it."""
        told = {"finding": self.finding, "outcome": self.outcome, "reason_code": self.reason_code}
        return {"nth": self.nth} | (told if self.finding else {})


async def reply(turn: Turn) -> None:
    """The answer of the task, once all parts of it are answered: confirmed at once, or a draft for those who sign."""
    task = _handled(turn, "reply")
    answered_parts(turn.change, task)
    answer = _checked(turn, task)
    await evidence.required(turn)
    body, change, connection = turn.body, turn.change, turn.connection
    lead = task.role == LEAD
    form = Form(
        await connection.fetchval(SQL.next_nth, task.id), body.finding if lead else None, body.outcome if lead else None,
        body.reason_code if lead else None,
    )  # fmt: skip
    steps = _steps(turn, task)
    text = turn.ids.take("text")
    document = {"text": body.note, "evidence": body.evidence} | ({"answer": answer} if steps and answer else {})
    change.words.append(Words(text, "reply", turn.by.name, document))
    await connection.execute(SQL.lapse, task.id, turn.at)
    await connection.execute(
        SQL.write, change.case.id, task.id, form.nth, change.case.round, task.role, task.unit, form.finding, form.outcome,
        form.reason_code, text, turn.by.name, turn.at, "waiting" if steps else "confirmed", [unit for unit, _ in steps],
        [role for _, role in steps],
    )  # fmt: skip
    if steps:
        _draft(turn, task, form, steps)
    else:
        await _confirm(turn, task, form, turn.by.name, answer)


async def sign_off(turn: Turn) -> None:
    """签批: somebody of the next step approves the draft, or refuses it with a reason; never its writer, nor twice."""
    task = _handled(turn, "sign_off")
    waiting = await turn.connection.fetchrow(SQL.waiting, task.id)
    if waiting is None:
        raise RuleBroken(problem="no reply of this task waits for a signature", field="assignment")
    if turn.body.approve is None:
        raise BadInput(field="approve", problem="is required for this action: true or false")
    steps = await turn.connection.fetch(SQL.steps, task.id, waiting["nth"])
    open_steps = [step for step in steps if step["signed_by"] is None]
    await _check_signer(turn, open_steps[0], {waiting["written_by"], *(step["signed_by"] for step in steps)})
    task.version += 1
    form = Form(waiting["nth"], waiting["finding"], waiting["outcome"], waiting["reason_code"])
    if not turn.body.approve:
        await _refuse(turn, task, form, open_steps[0], waiting["written_by"])
        return
    await _sign(turn, task, form, open_steps[0], "note")
    if len(open_steps) > 1:
        _ask(turn, task, open_steps[1]["unit"], open_steps[1]["role"])
        return
    answered_parts(turn.change, task)
    await turn.connection.execute(SQL.end, task.id, form.nth, "confirmed", turn.at)
    await _confirm(turn, task, form, waiting["written_by"], await _answer(turn, waiting["text_id"]))


def _handled(turn: Turn, action: str) -> Assignment:
    """The task of this turn, while it is handled."""
    task = at_work(turn, action)
    assignment_step(task.state, action)
    if task.role == LEAD:
        case_step(turn.change.case.state, action)
    return task


def _checked(turn: Turn, task: Assignment) -> str | None:
    """The words for the citizen, of a form that is whole. Raises BadInput naming what is missing or does not fit."""
    turn.needs("note")
    if task.role != LEAD:
        return None
    turn.needs("finding")
    known = ", ".join(sorted(turn.city.unsolved))
    if turn.needs("outcome") == "solved":
        if turn.body.reason_code:
            raise BadInput(field="reason_code", problem="says why a matter is not solved: this one is")
    elif turn.needs("reason_code") not in turn.city.unsolved:
        raise BadInput(field="reason_code", problem=f"not one of {known}")
    return turn.needs("answer")


def _steps(turn: Turn, task: Assignment) -> list[tuple[str, str]]:
    """Who signs, in order. A restricted case leaves its unit for no signature: those above it may not read it."""
    return [
        step for step in turn.city.units.signers(task.unit) if not turn.change.case.restricted or step[0] == task.unit
    ]


def _draft(turn: Turn, task: Assignment, form: Form, steps: list[tuple[str, str]]) -> None:
    if task.role == LEAD:
        case_step(turn.change.case.state, "draft")
    task.state = assignment_step(task.state, "draft").target
    task.version += 1
    turn.change.event(
        "reply_drafted", turn.at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role,
        steps=[unit for unit, _ in steps], **form.codes,
    )  # fmt: skip
    _ask(turn, task, *steps[0])


def _ask(turn: Turn, task: Assignment, unit: str, role: str) -> None:
    """Those of the next step hear of it; where the post is vacant, the unit's inbox does."""
    turn.change.post(unit, (role,), "sign_off", by_unit=task.unit)


async def _check_signer(turn: Turn, step: asyncpg.Record, barred: set[str | None]) -> None:
    """Raises RuleBroken for whoever wrote or signed it, or is not of the step; a stand-in is, while they stand in."""
    by = turn.by
    if by.name in barred:
        raise RuleBroken(problem="who wrote a reply does not sign it, and nobody signs it twice", field="approve")
    if by.unit == step["unit"] and step["role"] in by.roles:
        return
    if not await turn.connection.fetchval(SQL.is_there, step["unit"], step["role"], turn.at, by.name):
        raise RuleBroken(problem=f"the next signature is that of a {step['role']} of {step['unit']}", field="approve")


async def _sign(turn: Turn, task: Assignment, form: Form, step: asyncpg.Record, kind: str) -> None:
    before = len(turn.change.words)
    turn.say(kind)
    said = turn.change.words[before].id if len(turn.change.words) > before else None
    await turn.connection.execute(
        SQL.sign, task.id, form.nth, step["step"], turn.by.name, turn.at, turn.body.approve, said
    )
    turn.change.event(
        "signed_off", turn.at, turn.by.name, assignment=task.id, unit=task.unit, nth=form.nth, step=step["step"],
        by_unit=step["unit"], approved=turn.body.approve,
    )  # fmt: skip


async def _refuse(turn: Turn, task: Assignment, form: Form, step: asyncpg.Record, writer: str) -> None:
    """The handler has it back, with the reason; the clock has not stopped."""
    turn.needs("note")
    await _sign(turn, task, form, step, "reason")
    await turn.connection.execute(SQL.end, task.id, form.nth, "refused", turn.at)
    turn.change.post(f"account:{writer}", (), "sign_off_refused", by_unit=step["unit"])
    turn.change.post(task.unit, ("handler",), "sign_off_refused", by_unit=step["unit"])


async def _answer(turn: Turn, text_id: int) -> str | None:
    """The words that a draft holds for the citizen; none of a task that is no lead's, or where they were erased."""
    case_id = turn.change.case.id
    keys = await case_keys(turn.connection, turn.keyring, [case_id])
    row = await turn.connection.fetchrow(SQL.words, case_id, text_id)
    if row is None or case_id not in keys:
        return None
    plain = keys[case_id].open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"]))
    answer: str | None = msgspec.json.decode(plain).get("answer")
    return answer


async def _confirm(turn: Turn, task: Assignment, form: Form, writer: str, answer: str | None) -> None:
    """The unit has answered: its clocks stop, the citizen's words are theirs, and a lead's case goes to the desk for review."""
    change = turn.change
    moved(turn, "reply")
    task.replied_at = turn.at
    end_parts(change, task, turn.at)
    stop(turn, task, "sign", "reply", "whistle")
    for clock in change.of_task(task, "contact", "approval"):
        clock.stop(turn.at, cancelled=True)
    if answer:
        change.words.append(Words(turn.ids.take("text"), "answer", writer, {"text": answer, "to": "everybody"}))
    lead_moves(turn, task, "reply")
    change.event("replied", turn.at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role, **form.codes)
    if task.role == LEAD:
        at_desk(change, turn.city)
        change.post(turn.city.desk.dispatch, ("reviewer",), "replied", by_unit=task.unit)
        await inspections.after_reply(turn)
    elif (parent := change.task(task.parent_id)) is not None:
        change.post(parent.unit, ("handler", "unit_head"), "part_replied", by_unit=task.unit)


ACTIONS = {
    "reply": Action("case.reply", True, reply, looks=False),
    "sign_off": Action("case.sign_off", True, sign_off, looks=False),
}
