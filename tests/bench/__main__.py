"""`make bench`: every benchmark with its peer or ceiling beside it, as a table of ratios and as JSON.

python -m tests.bench [--cases N] [--reports 6000] [--deadlines 1000000] [--many 1000000]
                      [--events 200000] [--only intake|gridmap|clock|deadlines|casework|audit|indicators|emergency|
                      matching]
                      [--json FILE]
"""

import argparse
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import audit, casework, clock, deadlines, emergency, indicators, intake, matching


def gridmap() -> list[dict[str, Any]]:
    """In a process of its own: it measures resident memory."""
    script = "import json; from tests.bench.gridmap import run; print(json.dumps(run()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def main() -> None:
    """Runs what was asked for and prints it."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument(
        "--cases",
        type=int,
        help="cases present before intake (100,000), or open ones under an emergency (200,000), are measured",
    )
    options.add_argument("--reports", type=int, default=6_000, help="reports a run")
    options.add_argument(
        "--deadlines", type=int, default=deadlines.MANY, help="open ones beside which a few are measured"
    )
    options.add_argument(
        "--many", type=int, default=1_000_000, help="cases beside which actions and reads are measured"
    )
    options.add_argument("--events", type=int, default=200_000, help="events of the record that is rebuilt")
    options.add_argument(
        "--only",
        choices=("intake", "gridmap", "clock", "deadlines", "casework", "audit", "indicators", "emergency", "matching"),
    )
    options.add_argument("--json", type=Path, default=Path("data/bench.json"))
    given = options.parse_args()
    rows = gridmap() if given.only in (None, "gridmap") else []
    rows += clock.run() if given.only in (None, "clock") else []
    rows += intake.run(given.cases or 100_000, given.reports) if given.only in (None, "intake") else []
    rows += deadlines.run(given.deadlines) if given.only in (None, "deadlines") else []
    rows += casework.run(given.many) if given.only in (None, "casework") else []
    rows += audit.run(given.events) if given.only in (None, "audit") else []
    rows += indicators.run(given.many) if given.only in (None, "indicators") else []
    rows += emergency.run(given.cases or 200_000) if given.only in (None, "emergency") else []
    rows += matching.run() if given.only in (None, "matching") else []
    table = Table(
        "benchmark",
        "ours",
        "peer",
        "ratio",
        "unit",
        title=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}",
    )
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}×"
        table.add_row(row["name"], f"{row['ours']:,.1f}", f"{row['peer']:,.1f}", ratio, row["unit"])
    Console().print(table)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    print(f"JSON: {given.json}")


if __name__ == "__main__":
    main()
