"""What is kept with every report of how it was judged: inputs, what was found, thresholds, versions. No words of people."""

from typing import Any

from dispatch.city.model import City
from dispatch.intake.candidates import Prepared
from dispatch.intake.open import Taken
from dispatch.intake.unsuited import explained


def explanation(taken: Taken, city: City) -> dict[str, Any]:
    """As `/cases/{no}/explain` shows it for this report."""
    item, match, place = taken.prepared, taken.match, taken.prepared.place
    return {
        "inputs": _inputs(item),
        "classify": item.classified.view,
        "match": {
            "verdict": match.verdict,
            "score": match.score,
            "suggested": match.suggested,
            "case_no": match.candidate.case_no if match.candidate else None,
            "attach": city.matching.attach,
            "suggest": city.matching.suggest,
            "reasons": match.reasons,
            "label": match.label,
            # From which belief on words alone join a report, and by which version.
            "sure": item.texts.pairs.sure,
            "texts": item.texts.version,
            "others": [
                {"case_no": other.candidate.case_no, "score": other.score, "reasons": other.reasons}
                for other in match.others
                if other.candidate is not None
            ],
        },
        "unsuited": explained(taken.unsuited),
        "route": taken.route.view if taken.route else None,
        # Of a restricted report only where its place was taken from.
        "place": {"source": place.source, "candidates": [] if item.restricted else place.views},
        "city_version": taken.change.case.city_version,
        "models": dict(item.models),
        "warnings": [[w.field, w.code] for w in item.reading.warnings],
    }


def _inputs(item: Prepared) -> dict[str, Any]:
    """What there was to judge by."""
    report, place, identity = item.reading.report, item.place, item.reading.identity
    return {
        "category": report.category is not None,
        "category_table": report.category_table,
        "title_characters": len(report.title or ""),
        "text_characters": len(report.text or ""),
        "place": "point" if place.lon is not None else "area" if place.areas else "none",
        "address": bool(report.location and report.location.address),
        "person": "none" if identity is None else "number" if identity.phone is not None else "name",
        "object": item.object is not None,
        "about_unit": item.about,
        "urgency": item.reading.urgency,
        "assigned_unit": report.assigned_unit,
        "danger": list(item.reading.danger),
    }
