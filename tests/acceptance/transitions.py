"""The expected transitions, written by hand in `transitions.csv` from the field's own rules, with the source beside each edge."""

import csv
from pathlib import Path
from typing import Any

ROWS: list[dict[str, Any]] = list(
    csv.DictReader(Path(__file__).with_suffix(".csv").read_text(encoding="utf-8").splitlines())
)
NOUNS = ("case", "consequence", "task", "consequence_of_task")
# Of each noun: (state, action) -> the state it leads to.
EXPECTED: dict[str, dict[tuple[str, str], str]] = {
    noun: {(state, row["action"]): row["to"] for row in ROWS if row["noun"] == noun for state in row["from"].split()}
    for noun in NOUNS
}
# Of each action that people take: the roles that may.
ROLES_OF: dict[str, frozenset[str]] = {
    row["action"]: frozenset(row["roles"].split()) for row in ROWS if row["noun"] == "case"
}
