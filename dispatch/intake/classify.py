"""Third step: what. The given code against its table version; without one a person decides."""

from dispatch.city.categories import Category
from dispatch.city.model import City
from dispatch.domain.errors import NothingToActOn
from dispatch.intake.read import Reading


def classify(reading: Reading, city: City) -> Category | None:
    """The category of a reading, or None for the triage desk.

    Raises NothingToActOn if the code is unknown and there is no text either.
    """
    report = reading.report
    if report.category is None:
        return None
    if not city.automatic.classify:
        reading.aside("category", report.category, "by_hand", "classifying is switched off: a person decides")
        return None
    category = city.categories.get(report.category, report.category_table)
    if category is None:
        reading.aside("category", report.category, "unknown_code", "not a code of this table")
        if not reading.masked.strip():
            raise NothingToActOn(field="category", value=report.category)
    return category
