"""The first half: everything about a report that no other report can change. Holds no connection."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from itertools import islice

from dispatch.city.model import City
from dispatch.domain.errors import BadInput, NothingToActOn
from dispatch.domain.reports import Report
from dispatch.intake.by_place import placed
from dispatch.intake.candidates import Prepared
from dispatch.intake.classify import classify
from dispatch.intake.commit import Held
from dispatch.intake.directive import NONE, Directive
from dispatch.intake.locate import locate, tiles_near
from dispatch.intake.models import NO_MODELS, Models
from dispatch.intake.read import Reading, fingerprint, normalise, read
from dispatch.intake.texts import shipped
from dispatch.people.keyring import Keyring
from dispatch.people.principal import Principal

NEIGHBOURHOODS = 4096
# Of a report without a place the rarest runs of its words are locked: copies of one text have the same.
RUNS_HELD = 2


def prepare(
    report: Report,
    *,
    city: City,
    keyring: Keyring,
    by: Principal,
    wall: datetime,
    directive: Directive = NONE,
    models: Models = NO_MODELS,
) -> Prepared | Held:
    """Reads, locates and classifies `report`.

    Raises BadInput, NotPermitted or NothingToActOn; a source that reads no errors (backfill) gets a place in quarantine
    instead of the last.
    """
    backfill = by.may("report.backfill")
    try:
        reading = read(report, city=city, keyring=keyring, by=by, wall=wall)
        place = locate(reading, city)
        classified = classify(reading, city, models)
        about = _about(reading, city)
    except (NothingToActOn, BadInput) as refusal:
        if not backfill:
            raise
        return Held(
            report, fingerprint(report), refusal.code, str(refusal.data.get("field", "")), by.name, backfill=True
        )
    category = classified.category
    restricted = (
        reading.kind == "tipoff"
        or (category is not None and category.restricted)
        or any(city.dangers.by_code[code].restricted for code in reading.danger)
    )
    at = reading.received_at or wall
    placed_ = None if restricted else placed(report, place, category, at, models.located, keyring)
    reach = max(city.matching.radius_m, placed_.model.reach.metres if placed_ else 0.0)
    tiles = tuple(tiles_near(place.lon, place.lat, reach)) if place.lon is not None and place.lat is not None else ()
    prepared = Prepared(
        reading, place, category, restricted, tiles, (), backfill, by.name, about, directive, _object(report, keyring),
        models.pairs or shipped(), classified, models.versions, placed_,
    )  # fmt: skip
    prepared.neighbourhoods = _neighbourhoods(prepared, reading)
    return prepared


def _about(reading: Reading, city: City) -> str | None:
    """The unit that is complained about; whatever else is named there is set aside."""
    unit = reading.report.about.unit if reading.report.about else None
    if unit is None or unit in city.units:
        return unit
    reading.aside("about.unit", unit, "unknown_code", "not a unit of this city")
    return None


def _object(report: Report, keyring: Keyring) -> bytes | None:
    """The named object, else the party, as it is compared: by keyed hash, since a party may be a person."""
    named = report.about and (report.about.object or report.about.party)
    return keyring.match(normalise(named).encode(), "object") if named and named.strip() else None


def _neighbourhoods(prepared: Prepared, reading: Reading) -> tuple[int, ...]:
    """What is locked while this report is compared: its tiles, its person, its named object; without a place area and kin, and its
    rarest words.

    What has none of these is compared with nothing. Calls that a person attaches to one case come one after the other, so
    that no batch waits for its row, and so do those of one person, who is counted once."""
    if prepared.directive.joins is not None:
        names = [b"case %d" % prepared.directive.joins]
        if reading.identity is not None:
            names.append(b"person " + reading.identity.person)
        return _numbered(names)
    if prepared.restricted:
        return ()
    names = [b"tile %d" % tile for tile in prepared.tiles]
    if reading.identity is not None:
        names.append(b"person " + reading.identity.person)
    if reading.report.about is not None and reading.report.about.object:
        names.append(b"object " + reading.report.about.object.encode())
    if not prepared.tiles and prepared.place.area and prepared.category:
        names.append(f"area {prepared.place.area} {prepared.category.kin}".encode())
    if not prepared.tiles:
        names += [b"run %d" % run for run in islice(prepared.weighed.leading, RUNS_HELD)]
    return _numbered(names)


def _numbered(names: Iterable[bytes]) -> tuple[int, ...]:
    return tuple(sorted({int.from_bytes(blake2b(name, digest_size=4).digest()) % NEIGHBOURHOODS for name in names}))
