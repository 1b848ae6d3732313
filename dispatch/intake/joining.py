"""A report that joins a case which is there: one more person, or a reminder (催单); whoever must know is told."""

from dispatch.casework import clocks, dangers
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.intake.candidates import Prepared
from dispatch.intake.match import Match
from dispatch.intake.open import INTAKE, Moment


def attach(
    change: Change, prepared: Prepared, receipt_no: str, match: Match, moment: Moment, city: City, *, new_person: bool,
    reopened: bool = False,
) -> None:  # fmt: skip
    """Adds a report to a case: one more person, or a reminder (催单) of one already counted; a new danger starts its procedure."""
    case = change.case
    if new_person and prepared.reading.human:
        case.people += 1
    overdue = any(d.status == "missed" or d.due_at <= moment.at for d in change.live(*clocks.CASE_CLOCKS, "reply"))
    change.event(
        "attached",
        change.instant(moment.now),
        prepared.by,
        receipt_no=receipt_no,
        channel=prepared.reading.report.channel,
        verdict=match.verdict,
        score=match.score,
        people=case.people,
        overdue=overdue,
    )
    if not moment.backfill:
        if new_person and _gathers(case.people, city.matching.alarm):
            change.event("gathered", change.instant(moment.now), INTAKE, people=case.people)
            change.post(city.desk.dispatch, ("dispatcher",), "gathering", people=case.people)
            change.post("*", ("supervisor",), "gathering", people=case.people)
        dangers.alert(change, prepared.reading.danger, prepared.by, change.instant(moment.now), city)
    if match.verdict == "repeat" and not moment.backfill:
        _remind(change, moment, city, overdue=overdue, unsolved=reopened)


def _gathers(people: int, alarm: int) -> bool:
    """At the alarm, and at each doubling of it."""
    times, rest = divmod(people, alarm)
    return rest == 0 and times > 0 and times & (times - 1) == 0


def _remind(change: Change, moment: Moment, city: City, *, overdue: bool, unsolved: bool) -> None:
    """催单: the unit sees the first at once, those of one window as one notice after it.

    Past the limit, or once it was not solved, its head and the supervisors see it too, once a round (S04).
    """
    case = change.case
    unit = change.lead.unit if change.lead else case.owner_unit
    assert unit is not None
    if (overdue or unsolved) and case.supervised_at is None:
        case.supervised_at = case.reminded_at = change.instant(moment.now)
        case.reminders = 0
        change.event("supervision_started", case.supervised_at, INTAKE, unit=unit, round=case.round, overdue=overdue)
        change.post(unit, ("handler", "dispatcher", "unit_head"), "supervision", overdue=overdue)
        change.post("*", ("supervisor",), "supervision", overdue=overdue)
        return
    case.reminders += 1
    if case.reminded_at is None or moment.at >= clocks.window(city, case, "remind", unit, case.reminded_at):
        most = city.casework.reminders_per_hour if case.urgency == "ordinary" else None
        change.post(unit, ("handler", "dispatcher"), "reminder", most=most, overdue=overdue, calls=case.reminders)
        case.reminders, case.reminded_at = 0, change.instant(moment.now)
