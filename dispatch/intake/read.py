"""First step: what was said, made comparable. Optional values that cannot be right are set aside and named."""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dispatch.city.endings import Sign
from dispatch.city.model import City
from dispatch.domain import reports
from dispatch.domain.errors import BadInput, NotPermitted
from dispatch.domain.reports import RELAYED, Report, Warned
from dispatch.intake.words import Words, words
from dispatch.people import vault
from dispatch.people.keyring import Keyring
from dispatch.people.masking import Span, find_personal, mask_text
from dispatch.people.principal import Principal

FUTURE = timedelta(minutes=5)
SEARCHED = 400
HUMAN_KINDS = frozenset(reports.KINDS - {"patrol", "sensor"})
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class Reading:
    """A report, normalised. `received_at` is set only where the sender may say when it came in (backfill, relay)."""

    report: Report
    fingerprint: bytes
    kind: str
    urgency: str | None
    occurred_at: datetime | None
    received_at: datetime | None
    due_at: datetime | None
    identity: vault.Identity | None
    confidential: bool
    masked: str
    spans: list[Span]
    words: Words
    tokens: list[str]
    # Codes of the dangers that its words name.
    danger: tuple[str, ...] = ()
    # Words by which they say that they said it before: still not solved, for the third time.
    again: tuple[str, ...] = ()
    # What in its first words suggests that it is no matter for a unit.
    signs: tuple[Sign, ...] = ()
    warnings: list[Warned] = field(default_factory=list)
    set_aside: dict[str, Any] = field(default_factory=dict)

    def aside(self, name: str, value: Any, code: str, message: str) -> None:
        """Takes an optional value out of the report; it is kept sealed, and the sender is told."""
        if name in self.set_aside:
            return  # said before: a batch that is tried again says nothing twice
        self.set_aside[name] = value
        self.warnings.append(Warned(name, code, message))

    @property
    def human(self) -> bool:
        """Whether a citizen is behind it: somebody who can be counted, and asked afterwards."""
        return self.kind in HUMAN_KINDS


def read(report: Report, *, city: City, keyring: Keyring, by: Principal, wall: datetime) -> Reading:
    """Normalises `report`; `wall` is used for plausibility only.

    Raises BadInput naming the field, NotPermitted for a field that only relays and backfills may send.
    """
    _permitted(report, by)
    if not (report.text or "").strip() and not report.category:
        raise BadInput(field="text", problem="a text or a category is required")
    text = "\n".join(part for part in (report.title, report.text) if part)
    spans = find_personal(text)
    masked = mask_text(text, spans)
    plain = normalise(masked)
    caller = report.caller
    reading = Reading(
        report=report,
        fingerprint=fingerprint(report),
        kind=report.kind or "other",
        urgency=report.urgency,
        occurred_at=None,
        received_at=None,
        due_at=None,
        identity=vault.identify(keyring, caller.name, caller.phone) if caller else None,
        confidential=bool(caller and caller.confidential),
        masked=masked,
        spans=spans,
        words=compared(report.title, masked),
        tokens=tokens(plain),
        danger=city.dangers.found(plain),
        again=tuple(phrase for phrase in city.matching.again if phrase in plain),
        signs=city.signs.found(plain),
    )
    _codes(reading)
    _times(reading, city, wall)
    if caller and caller.phone and reading.identity and reading.identity.phone is None:
        reading.aside("caller.phone", caller.phone, "not_a_number", "this cannot be a telephone number")
    return reading


def compared(title: str | None, masked: str) -> Words:
    """What matching compares of masked words that begin with their title, if there is one."""
    lines = masked.split("\n", title.count("\n") + 1) if title else [masked]
    return words("\n".join(lines[:-1]), lines[-1])


def fingerprint(report: Report) -> bytes:
    """Digest of everything that was sent: the same key with the same fingerprint is the same report."""
    return hashlib.sha256(_encode(report)).digest()


def _permitted(report: Report, by: Principal) -> None:
    if by.kind == "key" and by.channels and report.channel not in by.channels:
        raise NotPermitted(permission=f"channel {report.channel}", field="channel")
    if not (by.may("report.relay") or by.may("report.backfill")):
        for name in RELAYED:
            if getattr(report, name) is not None:
                raise NotPermitted(permission="report.relay", field=name)


def _codes(reading: Reading) -> None:
    if reading.kind not in reports.KINDS:
        reading.aside("kind", reading.kind, "unknown_code", "not one of the kinds of reports")
        reading.kind = "other"
    if reading.urgency is not None and reading.urgency not in reports.URGENCIES:
        reading.aside("urgency", reading.urgency, "unknown_code", "not one of ordinary, urgent, critical")
        reading.urgency = None


def _times(reading: Reading, city: City, wall: datetime) -> None:
    report = reading.report
    reading.received_at = _instant(reading, "received_at", report.received_at, latest=wall + FUTURE)
    reading.occurred_at = _instant(
        reading, "occurred_at", report.occurred_at, latest=(reading.received_at or wall) + FUTURE
    )
    reading.due_at = _instant(reading, "due_at", report.due_at, latest=None)
    if reading.due_at and reading.due_at <= (reading.received_at or wall):
        reading.aside("due_at", report.due_at, "in_past", "due before it was received; the city's own limit stands")
        reading.due_at = None


def _instant(reading: Reading, name: str, value: str | None, *, latest: datetime | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        reading.aside(name, value, "not_a_time", "not an RFC 3339 time")
        return None
    if moment.tzinfo is None:
        reading.aside(name, value, "no_offset", "a time needs an offset, as in 2026-11-21T08:00:00+08:00")
        return None
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        reading.aside(name, value, "not_a_time", "not an RFC 3339 time")
        return None
    if moment.year < 1990 or moment.year > 2200 or (latest is not None and moment > latest):
        reading.aside(name, value, "implausible_time", "too far in the past or in the future")
        return None
    return moment


def normalise(text: str) -> str:
    """Text made comparable: one form of full- and half-width characters, lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def tokens(plain: str) -> list[str]:
    """Bigrams by which cases are searched, at most 400 of them."""
    return sorted({plain[i : i + 2] for i in range(min(len(plain) - 1, SEARCHED))})
