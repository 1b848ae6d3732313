"""Is it a matter for a unit at all? Suggests how it could end without one (不予受理建议); only a person ends anything.

| a report                                                                           | what is suggested                   |
|------------------------------------------------------------------------------------|-------------------------------------|
| says so in its first words (`city.endings`)                                        | those endings of the city's table   |
| says nothing new beside its own person's case that was answered, refused, referred | `no_new_facts`, naming that case    |
| names a danger, is urgent, restricted, about a unit, an event or a component       | nothing: it is the city's           |
| is a patrol's or a sensor's, recorded history, or given to a unit by its sender    | nothing: somebody decided already   |
| proposes or praises something                                                      | nothing: it asks for no handling    |
| joins another case                                                                 | nothing: that one is decided        |

A report for which something is suggested is given to no unit by itself: it waits at the dispatch desk, where its clock runs.
"""

from collections.abc import Iterable
from typing import Any, Final

from dispatch.city.endings import Ending, Sign
from dispatch.city.model import City
from dispatch.domain.reports import UnsuitedView
from dispatch.intake.candidates import Prepared
from dispatch.intake.match import Match, new_in
from dispatch.intake.open import covering, urgency
from dispatch.intake.read import normalise

# The same matter again without new facts or reasons (没有新情况、新理由).
NO_NEW_FACTS: Final = "no_new_facts"
# Kinds of reports (诉求类型) that ask for nothing that could be refused.
NO_REQUEST: Final = frozenset({"suggest", "praise"})
Spans = list[tuple[int, int]]


def unsuited(report: Prepared, found: Match, city: City) -> list[UnsuitedView]:
    """The endings that are suggested for a report, in the order of the city's table."""
    nothing_says_so = not (report.reading.signs or found.suggested)
    if nothing_says_so or found.attaches or not _may_be(report, city):
        return []
    signs: dict[str, list[Sign]] = {}
    for sign in report.reading.signs:
        signs.setdefault(sign.code, []).append(sign)
    views = [_by_words(city.endings[code], of, report) for code, of in signs.items()]
    known = city.endings.get(NO_NEW_FACTS)
    if known is not None and _says_nothing_new(report, found):
        assert found.candidate is not None
        views.append(_view(known, ["nothing new"], case_no=found.candidate.case_no))
    return views


def explained(views: Iterable[UnsuitedView]) -> list[dict[str, Any]]:
    """As it is kept with the report: the city's words and where they stand, nothing that was said."""
    return [
        {"code": v.code, "reasons": v.reasons, "said": v.said, "titled": v.titled, "case_no": v.case_no} for v in views
    ]


def _may_be(report: Prepared, city: City) -> bool:
    """Whether anything may be suggested at all; what is the city's own or cannot wait never is."""
    reading, category = report.reading, report.category
    return (
        city.automatic.unsuited
        and reading.human
        and reading.kind not in NO_REQUEST
        and not (report.backfill or report.restricted or reading.danger or report.about)
        and reading.report.assigned_unit is None
        and (category is None or category.branch == "subject")
        and urgency(report, city) == "ordinary"
        and all(each.urgency == "ordinary" for each in covering(report, city))
    )


def _says_nothing_new(report: Prepared, found: Match) -> bool:
    """Whether the same person said all of it before, of a case that ended without a unit."""
    case, identity = found.candidate, report.reading.identity
    if case is None or identity is None or not (found.suggested and case.ended and identity.person in case.persons):
        return False
    said = (report.reading.report.text or "").strip()
    # Of calls without a matter nothing was kept beside which anything could be new.
    return bool(said) and case.weighed(report.texts.rarity) is not None and not new_in(report, found)


def _by_words(ending: Ending, signs: list[Sign], report: Prepared) -> UnsuitedView:
    words = [sign.word for sign in signs if sign.word is not None]
    sums = [f"under {ending.under_yuan:g} yuan"] if len(words) < len(signs) else []
    text, title = report.reading.report.text or "", report.reading.report.title or ""
    return _view(ending, words + sums, said=_where(signs, text), titled=_where(signs, title))


def _view(
    ending: Ending, reasons: list[str], *, said: Spans | None = None, titled: Spans | None = None,
    case_no: str | None = None,
) -> UnsuitedView:  # fmt: skip
    assert ending.action != "end"
    return UnsuitedView(
        ending.code, ending.name, ending.action, ending.basis, ending.told, reasons, said or [], titled or [], case_no
    )


def _where(signs: list[Sign], said: str) -> Spans:
    """Where signs stand in what was said, each once: found in the normalised text, told in the characters of the given one."""
    plain, origin = list[str](), list[int]()
    for n, character in enumerate(said):
        made = normalise(character)
        plain += made
        origin += [n] * len(made)
    joined = "".join(plain)
    starts = [(joined.find(sign.said), len(sign.said)) for sign in signs]
    return sorted((origin[start], origin[start + length - 1] + 1) for start, length in starts if start >= 0)
