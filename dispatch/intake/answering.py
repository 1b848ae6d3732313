"""What the submitting side is told once a report was taken in, and the progress that a caller hears who asks again."""

from dispatch.casework import clocks
from dispatch.domain import priority
from dispatch.domain.cases import Change
from dispatch.domain.reports import Answer, MatchView, Progress
from dispatch.intake.match import new_in
from dispatch.intake.open import Taken, view


def answer(taken: Taken, track_code: str) -> Answer:
    """What the sender is told."""
    change, reading = taken.change, taken.prepared.reading
    case, lead, match = change.case, change.lead, taken.match
    links = [match.candidate.case_no] if match.candidate and match.verdict in ("facet", "topic") else []
    return Answer(
        receipt_no=taken.receipt_no,
        track_code=track_code,
        outcome=taken.outcome,
        case_no=case.case_no,
        state=case.state,
        category=case.category,
        cell=case.cell,
        area=case.area,
        lead_unit=lead.unit if lead else None,
        assist_units=[a.unit for a in change.assignments if a.role == "assist" and a.round == case.round],
        priority=priority.explain(
            case.urgency, case.safety, case.people, min((d.due_at for d in change.live()), default=None)
        ),
        deadlines=[view(d) for d in change.deadlines if d.stopped_at is None],
        match=MatchView(
            match.verdict,
            match.score,
            match.suggested,
            match.candidate.case_no if match.candidate else None,
            list(match.reasons),
            match.label,
            new_in(taken.prepared, match),
        ),
        route=taken.route.view if taken.route else None,
        warnings=list(reading.warnings),
        links=links,
        danger=list(reading.danger),
        progress=_progress(change, taken) if match.verdict == "repeat" else None,
        unsuited=taken.unsuited,
    )


def _progress(change: Change, taken: Taken) -> Progress:
    """How far the matter is: what a caller who asks again is told at once."""
    case, lead = change.case, change.lead
    due = min((d.due_at for d in change.live(*clocks.CASE_CLOCKS)), default=None)
    return Progress(case.state, lead.unit if lead else None, case.opened_at, due, case.round, taken.moment.now)
