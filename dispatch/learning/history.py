"""What a city's own record teaches (自有历史): the files that the commands under `dispatch learn` and `dispatch backtest` read.

| file                | a row for                                    | of whom                                                            |
|---------------------|-----------------------------------------------|--------------------------------------------------------------------|
| `texts.csv`         | a case: case_no,text,label                    | the label is there where who reported, or a person, said the kind   |
| `messages.csv`      | a report: message,caller,time,topic,detail    | the message is its receipt number; the caller stays empty           |
| `pairs.csv`         | two reports: message_a,message_b,label        | `same` and `diff`, as people put together or took apart             |
| `cases.csv`         | a case that a unit handled, as `intake.known` | `unit` is the last that led it to an answer                         |
| `located.csv`       | a case with a point and a kind                | in time order                                                       |
| `located_pairs.csv` | dup_case,ref_case                             | as people merged them                                               |

Restricted cases, what was said in confidence and what was erased are in none of them. Numbers of people are masked and names taken out.
"""

import csv
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from dispatch.casework.record import case_keys
from dispatch.city.model import City
from dispatch.intake.known import FIELDS, Known
from dispatch.learning.stripping import stripped
from dispatch.people.keyring import Keyring, aad
from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "history")
HEADINGS: Final = {
    "texts.csv": ("case_no", "text", "label"),
    "messages.csv": ("message", "caller", "time", "topic", "detail"),
    "pairs.csv": ("message_a", "message_b", "label"),
    "cases.csv": ("case_no", "opened_at", *FIELDS, "unit"),
    "located.csv": ("case_enquiry_id", "open_dt", "closed_dt", "type", "reason", "location", "latitude", "longitude"),
    "located_pairs.csv": ("dup_case", "ref_case"),
}
LABEL_OF: Final = {"same": "same", "different": "diff"}


@dataclass(frozen=True, slots=True)
class Span:
    """Cases that were opened from `since` on and before `until`."""

    since: datetime
    until: datetime


class Files:
    """The six files of a folder, readable by their owner alone; they are there once they are whole."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._open = folder, ExitStack()
        self.rows = dict.fromkeys(HEADINGS, 0)

    def __enter__(self) -> "Files":
        self._folder.mkdir(parents=True, exist_ok=True)
        self._writers = {name: self._writer(name) for name in HEADINGS}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._open.close()
        for name in HEADINGS:
            draft = self._folder / f"{name}.part"
            if kind is None:
                draft.replace(self._folder / name)
            else:
                draft.unlink(missing_ok=True)

    def _writer(self, name: str) -> Any:
        draft = self._folder / f"{name}.part"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        writer = csv.writer(self._open.enter_context(draft.open("w", encoding="utf-8", newline="")))
        writer.writerow(HEADINGS[name])
        return writer

    def write(self, name: str, row: Sequence[object]) -> None:
        """A row of one of the files."""
        self._writers[name].writerow(row)
        self.rows[name] += 1


async def write(connection: Executor, keyring: Keyring, city: City, span: Span, files: Files) -> AsyncIterator[int]:
    """Fills the files, page by page as the record stands; says after each how many cases it had."""
    said = set[str]()
    after = span.since, 0
    while cases := await connection.fetch(SQL.cases, span.since, span.until, *after):
        after = cases[-1]["opened_at"], cases[-1]["id"]
        texts = await _texts(connection, keyring, [case["id"] for case in cases])
        for case in cases:
            _case(files, city, case, texts.get(case["id"], []))
        said |= {receipt for each in texts.values() for receipt, _, _ in each}
        yield len(cases)
    for row in await connection.fetch(SQL.judged, span.since, span.until):
        if {row["one"], row["other"]} <= said:
            files.write("pairs.csv", (row["one"], row["other"], LABEL_OF[row["verdict"]]))
    for row in await connection.fetch(SQL.put_together, span.since, span.until):
        files.write("located_pairs.csv", (row["later"], row["earlier"]))


async def _texts(connection: Executor, keyring: Keyring, case_ids: list[int]) -> dict[int, list[tuple[str, str, str]]]:
    """For each case the receipt, title and text of its reports, without numbers and names; nothing of what was erased."""
    keys = await case_keys(connection, keyring, case_ids)
    found = [
        (row["case_id"], row["receipt_no"], msgspec.json.decode(_opened(keys, row)))
        for row in await connection.fetch(SQL.words, case_ids)
        if row["case_id"] in keys
    ]
    plain = stripped([document.get(part) or "" for _, _, document in found for part in ("title", "text")])
    of_case: dict[int, list[tuple[str, str, str]]] = {}
    for n, (case_id, receipt, _) in enumerate(found):
        if plain[2 * n] or plain[2 * n + 1]:
            of_case.setdefault(case_id, []).append((receipt, plain[2 * n], plain[2 * n + 1]))
    return of_case


def _opened(keys: Any, row: asyncpg.Record) -> bytes:
    plain: bytes = keys[row["case_id"]].open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"]))
    return plain


def _case(files: Files, city: City, case: asyncpg.Record, texts: list[tuple[str, str, str]]) -> None:
    opened, number = case["opened_at"].isoformat(), case["case_no"]
    for receipt, title, text in texts:
        files.write("messages.csv", (receipt, "", opened, title, text))
    if texts:
        said = "\n".join(part for part in texts[0][1:] if part)
        files.write("texts.csv", (number, said, case["category"] if case["told"] else ""))
    category = city.categories.get(case["category"], case["category_table"]) if case["category"] else None
    if case["unit"]:
        known = Known(category, case["area"], case["channel"], case["kind"], case["urgency"]).row(city)
        files.write("cases.csv", (number, opened, *(known[name] for name in FIELDS), case["unit"]))
    if case["lon"] is not None and category is not None:
        closed = case["closed_at"].isoformat() if case["closed_at"] else ""
        files.write("located.csv", (number, opened, closed, category.code, category.kin, "", case["lat"], case["lon"]))
