"""Third step: what. The given code against its table version; else what the model of subjects is sure enough of.

| report                                               | category                     | `by`      |
|------------------------------------------------------|------------------------------|-----------|
| a code of its table                                  | that                         | `given`   |
| no code, or none of its table; model sure enough     | the model's likeliest        | `learned` |
| … model less sure, or its likeliest no current code  | none; up to three suggested  | `nobody`  |
| … no model, no text, or classifying switched off     | none                         | `nobody`  |

Sure enough is what was right in a share of `[automatic] classify_right` at least, on texts that the model had not seen.
"""

from dataclasses import dataclass
from typing import Final, Literal

from dispatch.city.categories import Category
from dispatch.city.model import City
from dispatch.domain.errors import NothingToActOn
from dispatch.intake.models import NO_MODELS, Models
from dispatch.intake.read import Reading

SUGGESTED: Final = 3


@dataclass(frozen=True, slots=True)
class Classified:
    """The category, by whom, and what the model said: codes with their confidence, best first, and from which one is applied."""

    category: Category | None
    by: Literal["given", "learned", "nobody"]
    suggestions: tuple[tuple[str, float], ...] = ()
    threshold: float | None = None
    version: str | None = None

    @property
    def view(self) -> dict[str, object]:
        """As it is explained."""
        return {
            "by": self.by,
            "applied": self.category.code if self.category else None,
            "suggestions": [[code, round(sure, 4)] for code, sure in self.suggestions],
            "threshold": self.threshold,
            "version": self.version,
        }


UNKNOWN: Final = Classified(None, "nobody")


def classify(reading: Reading, city: City, models: Models = NO_MODELS) -> Classified:
    """The category of a reading, or none for the triage desk.

    Raises NothingToActOn if the code is unknown and there is no text either.
    """
    report = reading.report
    if report.category is not None:
        if not city.automatic.classify:
            reading.aside("category", report.category, "by_hand", "classifying is switched off: a person decides")
            return UNKNOWN
        category = city.categories.get(report.category, report.category_table)
        if category is not None:
            return Classified(category, "given")
        reading.aside("category", report.category, "unknown_code", "not a code of this table")
        if not reading.masked.strip():
            raise NothingToActOn(field="category", value=report.category)
    return _learned(reading.masked, city, models) if city.automatic.classify else UNKNOWN


def _learned(text: str, city: City, models: Models) -> Classified:
    model = models.subjects
    if model is None or not text.strip():
        return UNKNOWN
    ranked = model.ranked(text, SUGGESTED)
    threshold = model.trust.threshold(city.automatic.classify_right)
    category = city.categories.get(ranked[0][0])
    said = tuple((code, sure) for code, sure in ranked if city.categories.get(code) is not None)
    if category is None or threshold is None or ranked[0][1] < threshold:
        return Classified(None, "nobody", said, threshold, models.versions.get("subjects"))
    return Classified(category, "learned", said, threshold, models.versions.get("subjects"))
