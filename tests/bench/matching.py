"""Finding the cases that a report could be about: among a million, and beside datasketch and pg_trgm on the same messages.

python -m tests.bench.matching [--copies 50]

| contender  | as                                                                                                       |
|------------|----------------------------------------------------------------------------------------------------------|
| ours       | the rarest runs of title and names in a table, at most 64 a message, the newest 32 of each                |
| datasketch | MinHash of 128 permutations over runs of three, LSH at the threshold that finds most, likeliest by Jaccard |
| pg_trgm    | Debian's PostgreSQL, GIN over trigrams, the lowest threshold at which it stays under half a second        |

What is one matter are pairs that people judged (`../shared/data`), or made-up ones; each group of messages counts once.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec
from datasketch import MinHash, MinHashLSH

from dispatch import embedded
from dispatch.city.model import City
from dispatch.demo import generator
from dispatch.domain.errors import BadInput, NothingToActOn
from dispatch.domain.reports import Report
from dispatch.intake import planning
from dispatch.intake.alike import SAME, alike
from dispatch.intake.candidates import Prepared
from dispatch.intake.classify import classify
from dispatch.intake.desk import Desk
from dispatch.intake.locate import locate, tile_of
from dispatch.intake.models import Models
from dispatch.intake.prepare import prepare
from dispatch.intake.rarity import signed
from dispatch.intake.read import read
from dispatch.intake.route import route
from dispatch.intake.subjects import Classifier
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import packed
from dispatch.learning import tables
from dispatch.learning.pairs import groups, learned, weights
from dispatch.learning.subjects import fit
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import NO_IDS
from dispatch.store.statements import load
from tests.bench.intake import row
from tests.harness import matters
from tests.harness.town import KEYRING, START, archive, load_city, principal, unpacked

SQL = load(__file__, "matching")
SAMPLE: Final = 20_000
ASKED: Final = 2_000
FOUND: Final = 12
SHARED: Final = Path(__file__).parents[3] / "shared" / "data" / "messages"
DEBIAN: Final = Path("/usr/lib/postgresql/15/bin")


class Told(NamedTuple):
    """Messages in order of time with their pairs of one matter (earlier, later), and what each pair weighs."""

    said: list[matters.Message]
    pairs: list[tuple[int, int]]
    weights: list[float]
    words: list[Any]


def told(folder: Path) -> Told:
    """The judged messages beside the project, or made-up ones."""
    if not (SHARED / "stream.csv").exists():
        print("no ../shared/data: made-up messages", file=sys.stderr)
        made = matters.messages()
        rows = [("message", "topic", "detail"), *((name, *each) for name, each in made.items())]
        (folder / "m.csv").write_text("\n".join(",".join(each) for each in rows), "utf-8")
        lines = ["message_a,message_b,label", *(f"{p.one},{p.other},{p.label}" for p in matters.pairs())]
        (folder / "p.csv").write_text("\n".join(lines), "utf-8")
        files = folder / "m.csv", folder / "p.csv"
    else:
        files = SHARED / "stream.csv", SHARED / "duplicate_pairs.csv"
    words = tables.messages(files[0])
    said = {
        r["message"]: matters.Message(r["topic"], r["detail"])
        for _, r in tables.rows(files[0], ("message", "topic", "detail"))
    }
    judged = [pair for pair in tables.pairs(files[1], words, judged=True) if pair.label == SAME]
    place = {name: n for n, name in enumerate(words)}
    pairs = [tuple(sorted((place[p.one], place[p.other]))) for p in judged]
    return Told(list(said.values()), pairs, weights(groups(judged)).tolist(), list(words.values()))  # type: ignore[arg-type]


def quality(all_: Told, find: Callable[[int], Sequence[int]], name: str) -> tuple[float, float, float]:
    """Weighted share of pairs whose earlier one is found, median and 99th percentile of milliseconds a search."""
    later = sorted({b for _, b in all_.pairs})
    found, took = {}, []
    for n in later:
        began = perf_counter()
        found[n] = set(find(n))
        took.append((perf_counter() - began) * 1e3)
    hit = sum(w for (a, b), w in zip(all_.pairs, all_.weights, strict=True) if a in found[b]) / sum(all_.weights)
    took.sort()
    result = hit, statistics.median(took), took[int(len(took) * 0.99)]
    print(f"{name}: found {hit:.3f}, p50 {result[1]:.2f} ms, p99 {result[2]:.2f} ms", file=sys.stderr)
    return result


def minhash(all_: Told) -> Callable[[int], Sequence[int]]:
    """datasketch at the threshold that finds most of what it can rank."""
    made = []
    for each in all_.said:
        text = f"{each.title} {each.text}"
        sketch = MinHash(num_perm=128)
        sketch.update_batch([text[i : i + 3].encode() for i in range(max(1, len(text) - 2))])
        made.append(sketch)
    index = MinHashLSH(threshold=0.1, num_perm=128)
    for n, sketch in enumerate(made):
        index.insert(n, sketch)

    def find(n: int) -> Sequence[int]:
        near = [m for m in index.query(made[n]) if m < n]
        return sorted(near, key=lambda m: -made[n].jaccard(made[m]))[:FOUND]

    return find


async def compared(url: str, debian: str | None) -> list[dict[str, Any]]:
    """Ours, datasketch and pg_trgm on the same messages."""
    with tempfile.TemporaryDirectory() as folder:
        all_ = told(Path(folder))
    loop = asyncio.get_running_loop()
    rarity = learned({}, [], {str(n): each for n, each in enumerate(all_.words)}).rarity
    connection = await asyncpg.connect(url)
    ways = [",".join(map(str, signed(each.ways))) for each in all_.words]
    await connection.execute(SQL.told_runs, list(range(len(ways))), ways)
    await connection.execute("VACUUM ANALYZE case_runs")

    async def by_runs(n: int) -> list[int]:
        leading = Weighed(all_.words[n], rarity).leading
        return [r[0] for r in await connection.fetch(SQL.likely, list(leading), list(leading.values()), n, FOUND)]

    async def by_trigrams(n: int) -> list[int]:
        each = all_.said[n]
        return [r[0] for r in await other.fetch(SQL.near, f"{each.title} {each.text}", n, FOUND)]

    ours = await asyncio.to_thread(quality, all_, lambda n: _now(by_runs(n), loop), "ours")
    theirs = await asyncio.to_thread(quality, all_, minhash(all_), "datasketch MinHash-LSH")
    rows = [
        row("candidates found (in 12), datasketch", ours[0] * 100, theirs[0] * 100, "%"),
        row("… p50", ours[1], theirs[1], "ms"),
    ]
    if debian is not None:
        other = await asyncpg.connect(debian)
        await other.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        await other.execute(SQL.trigrams)
        await other.copy_records_to_table("told", records=[(n, f"{m.title} {m.text}") for n, m in enumerate(all_.said)])
        await other.execute(SQL.trigram_index)
        await other.execute("ANALYZE told; SET pg_trgm.similarity_threshold = 0.05")
        trigrams = await asyncio.to_thread(quality, all_, lambda n: _now(by_trigrams(n), loop), "pg_trgm")
        rows += [
            row("candidates found (in 12), pg_trgm", ours[0] * 100, trigrams[0] * 100, "%"),
            row("… p50", ours[1], trigrams[1], "ms"),
        ]
        await other.close()
    await connection.execute("TRUNCATE case_runs")
    await connection.close()
    return rows


def _now(work: Any, loop: asyncio.AbstractEventLoop) -> Any:
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def prepared(city: City, seed: int, count: int) -> list[Prepared]:
    """Reports of the generator's mix after the first half of intake."""
    by, found = principal("connector", "hotline"), list[Prepared]()
    for made in generator(seed, f"m{seed}", "bench").reports(10 * count):
        try:
            item = prepare(msgspec.convert(made.report, Report), city=city, keyring=KEYRING, by=by, wall=START)
        except (BadInput, NothingToActOn):
            continue  # the generator makes some that nobody can take in
        if isinstance(item, Prepared) and not item.restricted:
            found.append(item)
        if len(found) == count:
            break
    return found


async def million(url: str, copies: int) -> list[dict[str, Any]]:
    """The service's own search, a report at a time, among `copies` times SAMPLE cases."""
    city = unpacked(archive(), 1)
    await load_city(url, archive(), await SystemClock().now(await asyncpg.connect(url)))
    connection = await asyncpg.connect(url)
    await connection.execute(SQL.open_up)
    await connection.execute(SQL.sampled)
    await connection.copy_records_to_table(
        "sampled", records=[_sampled(n, p) for n, p in enumerate(prepared(city, 1, SAMPLE), 1)]
    )
    for name in ("cases", "signatures", "runs"):
        print(f"seeding {name}", file=sys.stderr)
        await connection.execute(getattr(SQL, name), copies, SAMPLE, timeout=1800)
    await connection.execute("VACUUM ANALYZE")
    desk = Desk(city, KEYRING, SystemClock(), NO_IDS)
    took, work = [], []
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"
        )
        for item in prepared(city, 2, ASKED):
            began = perf_counter()
            known = await planning.candidates(connection, desk, [item])
            took.append((perf_counter() - began) * 1e3)
            work.append(len(known))
    took.sort()
    p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
    print(
        f"{copies * SAMPLE:,} cases: p50 {p50:.2f} ms, p99 {p99:.2f} ms, candidates p50 {statistics.median(work)}",
        file=sys.stderr,
    )
    await connection.close()
    return [
        row(f"candidates of a report among {copies * SAMPLE:,}, p99 (asked: 5)", p99, 5, "ms"),
        row("… p50", p50, 5, "ms"),
    ]


def _sampled(n: int, item: Prepared) -> tuple[Any, ...]:
    place, words = item.place, item.reading.words
    tile = tile_of(place.lon, place.lat) if place.lon is not None and place.lat is not None else None
    code = item.category.code if item.category else None
    return n, code, item.kin, place.area, place.lon, place.lat, tile, packed(words), signed(words.ways)


def judging() -> list[dict[str, Any]]:
    """What it costs to judge a report: read words, place, kind, compare with one case, and whose it is; models loaded, as intake does it."""
    with tempfile.TemporaryDirectory() as folder:
        all_ = told(Path(folder))
    city, by = unpacked(archive(), 1), principal("connector", "hotline")
    models = Models(_subjects(all_), learned({}, [], {str(n): each for n, each in enumerate(all_.words)}))
    spent: dict[str, list[float]] = {"one comparison": [], "four judgements": [], "of these where, what": []}
    before: Prepared | None = None
    for n, said in enumerate(all_.said[:2_000]):
        report = Report(channel="bench", external_id=str(n), title=said.title, text=said.text)
        reading = read(report, city=city, keyring=KEYRING, by=by, wall=START)
        began = process_time()
        place, kind = locate(reading, city), classify(reading, city, models)
        between = process_time()
        assert models.pairs is not None
        item = Prepared(
            reading,
            place,
            kind.category,
            False,
            (),
            (),
            False,
            by.name,
            texts=models.pairs,
            classified=kind,
            models=models.versions,
        )
        weighed = item.weighed
        assert len(weighed.leading) >= 0  # by these the database would be asked
        compared_at = process_time()
        if before is not None:
            alike(weighed, before.weighed, models.pairs)
        after = process_time()
        route(item, city, START)
        spent["four judgements"].append((process_time() - began) * 1e6)
        spent["of these where, what"].append((between - began) * 1e6)
        spent["one comparison"].append((after - compared_at) * 1e6)
        before = item
    return [
        row(f"CPU of a report, p50: {name} (asked of all: 400)", statistics.median(took), 400, "µs")
        for name, took in spent.items()
    ]


def _subjects(all_: Told) -> Classifier:
    """A model of as many subjects as a hotline has at its first level, learned from what little these messages tell of them."""
    texts = [f"{each.title} {each.text}" for each in all_.said[:1_200]]
    return fit(texts, [str(n % 7) for n in range(len(texts))], []).classifier


@contextmanager
def _debian(data: Path) -> Iterator[str | None]:
    """A server of Debian's PostgreSQL, which has pg_trgm; its URL, or None where it is not installed."""
    if not (DEBIAN / "postgres").exists():
        yield None
        return
    before = os.environ.get("DISPATCH_POSTGRES_BIN")
    os.environ["DISPATCH_POSTGRES_BIN"] = str(DEBIAN)
    try:
        yield embedded.start(data).database_url
    finally:
        embedded.stop(data)
        os.environ.pop("DISPATCH_POSTGRES_BIN")
        if before is not None:
            os.environ["DISPATCH_POSTGRES_BIN"] = before


def run(copies: int = 50) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}."""
    rows = judging()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "data"
        found = embedded.start(data)
        try:
            asyncio.run(migrate(found.database_url))
            with _debian(Path(folder) / "debian") as debian:
                rows += asyncio.run(compared(found.database_url, debian))
            rows += asyncio.run(million(found.database_url, copies))
        finally:
            embedded.stop(data)
    return rows


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--copies", type=int, default=50)
    for line in run(options.parse_args().copies):
        print(json.dumps(line, ensure_ascii=False))
