"""Run the test suite group by group; print minutes and counts per group, and the sum as the last line.

Needs nothing but the standard library and the pytest of the interpreter that runs it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
GIVEN_SERVER = "DISPATCH_TEST_DATABASE_URL"
REQUIRE_15 = "DISPATCH_REQUIRE_PG15"


@dataclass(frozen=True, slots=True)
class Group:
    """One run of pytest."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of pytest came to."""

    name: str
    minutes: float
    passed: int
    failed: int
    skipped: int
    good: bool


def groups(environment: Mapping[str, str]) -> list[Group]:
    """The groups of `make test`: the database tests again wherever another server is at hand."""
    found = [
        Group("unit and property", ("tests/unit", "tests/property")),
        Group("integration", ("tests/integration",)),
    ]
    if (POSTGRES_15 / "postgres").exists():
        found.append(
            Group("integration, PostgreSQL 15", ("tests/integration",), {"DISPATCH_POSTGRES_BIN": str(POSTGRES_15)})
        )
    if url := environment.get(GIVEN_SERVER):
        found.append(Group("integration, given server", ("tests/integration",), {GIVEN_SERVER: url}))
    found.append(Group("acceptance", ("tests/acceptance",)))
    found.append(Group("faults", ("tests/faults",)))
    return found


def long_groups() -> list[Group]:
    """The groups of `make test-long`."""
    return [
        Group("property, thousands of steps", ("tests/property", "--hypothesis-profile=long")),
        Group("marked long", ("tests", "-m", "long")),
    ]


def run(group: Group) -> Outcome:
    """Run one group. It is not good if a test failed, and neither if there was no test."""
    print(f"\n== {group.name}", flush=True)
    environment = {name: value for name, value in os.environ.items() if name != GIVEN_SERVER}
    environment.update(group.environment)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--junitxml={report}", *group.arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        total, failed, skipped = count(report)
    minutes = (time.monotonic() - started) / 60
    return Outcome(group.name, minutes, total - failed - skipped, failed, skipped, done.returncode == 0 and total > 0)


def count(report: Path) -> tuple[int, int, int]:
    """How many tests a JUnit report tells of: all, failed (or in error), skipped. No report, no tests."""
    if not report.exists():
        return 0, 0, 0
    total = failed = skipped = 0
    for suite in ElementTree.parse(report).iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total, failed, skipped


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table of groups."""
    print(f"\n{'group':32}{'minutes':>8}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for outcome in outcomes:
        verdict = "" if outcome.good else "  FAILED" if outcome.passed or outcome.failed else "  NO TEST RAN"
        counts = f"{outcome.passed:8}{outcome.failed:8}{outcome.skipped:8}"
        print(f"{outcome.name:32}{outcome.minutes:8.1f}{counts}{verdict}")


def main() -> int:
    """Run the groups; the exit code is 0 only if every one was good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="run the long tests instead of the ordinary ones")
    chosen = long_groups() if parser.parse_args().long else groups(os.environ)
    outcomes = [run(group) for group in chosen]
    show(outcomes)
    good = all(outcome.good for outcome in outcomes)
    if os.environ.get(REQUIRE_15) == "1" and not any(
        group.environment.get("DISPATCH_POSTGRES_BIN") for group in chosen
    ):
        print(f"PostgreSQL 15 is required by {REQUIRE_15} and was not found in {POSTGRES_15}")
        good = False
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
