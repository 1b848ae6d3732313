"""Additions to a report (补充): a report itself never changes; what is said later stands beside it, on the same case."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.casework import dangers, dialogue, record
from dispatch.casework.actions import SQL, Workplace
from dispatch.casework.leading import at_desk
from dispatch.casework.watch import watch
from dispatch.city.model import City
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import NotFound
from dispatch.domain.workflow import case_step
from dispatch.intake.read import normalise
from dispatch.people.masking import find_personal


class Supplement(Struct, forbid_unknown_fields=True, frozen=True):
    """More words about a report that was taken in."""

    text: Annotated[str, Meta(min_length=1, max_length=5000)]
    attachments: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = []


class Supplemented(Struct, frozen=True):
    """Where the addition went."""

    receipt_no: str
    case_no: str
    seq: int


async def add(at: Workplace, receipt_no: str, supplement: Supplement, by: str) -> Supplemented:
    """Adds to the case of `receipt_no`; its lead is told, and the record says which open questions that answers.

    Raises NotFound, also while the report is in quarantine.
    """
    ids = await at.ids.reserve(text=1)
    async with at.pool.acquire() as connection, connection.transaction():
        case_id = await connection.fetchval(SQL.case_of_receipt, receipt_no)
        if case_id is None:
            raise NotFound(noun="report", key=receipt_no)
        change = (await record.hold(connection, [case_id]))[case_id]
        moment = change.instant(await at.clock.now(connection))
        spans = [[s.start, s.end, s.kind] for s in find_personal(supplement.text)]
        document = {
            "text": supplement.text,
            "personal": spans,
            "attachments": supplement.attachments,
            "receipt_no": receipt_no,
        }
        text, answers = ids.take("text"), await dialogue.open_questions(connection, change.case, receipt_no)
        change.words.append(Words(text, "supplement", by, document))
        change.event(
            "supplemented", moment, by, receipt_no=receipt_no, text=text, **({"answers": answers} if answers else {})
        )
        city = at.cities.current
        dangers.alert(change, city.dangers.found(normalise(supplement.text)), by, moment, city)
        if change.case.state == "need_info":
            _inform(change, by, moment, city)
            # What should have given it a lead may have passed while the facts were awaited.
            opened_under = await at.cities.version(connection, change.case.city_version)
            await watch(connection, change, opened_under, moment)
        else:
            dialogue.hear(change, answers)
        await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
        return Supplemented(receipt_no, change.case.case_no, change.case.seq)


def _inform(change: Change, by: str, at: datetime, city: City) -> None:
    """What was missing has come: the question is answered, and the dispatch desk has the next move."""
    change.case.state = case_step(change.case.state, "inform").target
    change.case.version += 1
    for clock in change.live("need_info"):
        clock.stop(at)
    at_desk(change, city)
    change.event("informed", at, by, owner=change.case.owner_unit)
    change.post(city.desk.dispatch, ("dispatcher",), "informed")
