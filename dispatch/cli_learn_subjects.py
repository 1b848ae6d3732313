"""`dispatch learn subjects`: which category a text has, learned from texts whose category is known."""

from pathlib import Path
from typing import TypeVar

import click
import numpy as np
from rich.console import Console

from dispatch.cli_backtest import FILE, mapping_option
from dispatch.cli_roster import database
from dispatch.cli_training import conclude, dry_option, no_codes, told
from dispatch.learning import comparing, measures, tables
from dispatch.learning.register import Figures, Model, hashed, numbered
from dispatch.learning.stripping import stripped
from dispatch.learning.subjects import FOLDS, SEED, Learned, fit, often_enough

RIGHT = 0.97
# What learning holds in memory grows with the square of this: 6,000 are half a gigabyte.
MOST = 6_000
T = TypeVar("T")


@click.command("subjects")
@click.option("--cases", type=FILE, required=True, help="CSV, also .csv.gz: texts with their category (已分类文本).")
@click.option("--text", default="text", show_default=True, metavar="COLUMN", help="What was said (文本列).")
@click.option("--label", default="label", show_default=True, metavar="COLUMN", help="Code of its category (类别列).")
@click.option("--others", type=FILE, help="CSV with the text column: texts without a category (未分类文本).")
@mapping_option
@dry_option
@database
def subjects(
    cases: Path, text: str, label: str, others: Path | None, mapping: tables.Names, dry_run: bool, database: str
) -> None:
    """Learn categories from texts (学习分类).

    Labels that are codes of the city's current tables are applied to reports without a category where the model is sure
    enough ([automatic] classify_right), else suggested. Rare labels are left out. Numbers and names of people are taken out before anything is
    learned. 先去除号码与姓名。

    \b
    dispatch learn subjects --cases labelled.csv --dry-run
    dispatch learn subjects --cases history.csv.gz --text detail --label subject --others messages.csv
    """
    shown = Console(stderr=True)
    try:
        rows = [row for _, row in tables.rows(cases, (text, label), mapping) if row[label] and row[text].strip()]
        more = [row[text] for _, row in tables.rows(others, (text,), mapping)] if others else []
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    with shown.status("taking out numbers and names 去除号码与姓名"):
        rows, more = _some(rows, MOST, "texts", shown), _some(more, MOST, "texts without a category", shown)
        texts, plain = stripped([row[text] for row in rows]), stripped(more)
        kept = often_enough(texts, [row[label] for row in rows])
    texts, labels = [texts[n] for n in kept], [rows[n][label] for n in kept]
    if rare := {row[label] for row in rows} - set(labels):
        shown.print(
            f"left out, fewer than {FOLDS} texts that are no copies of one another 样本太少: {' '.join(sorted(rare))}"
        )
    if len(set(labels)) < 2:
        raise click.ClickException(f"{cases.name}: at least two labels with {FOLDS} texts each are needed")
    with shown.status(f"learning {len(set(labels))} labels from {len(texts)} texts 学习"):
        learned = fit(texts, labels, plain)
    conclude_subjects(learned, texts, labels, database, dry_run=dry_run)


def _some(rows: list[T], most: int, what: str, shown: Console) -> list[T]:
    """All of them, or so many drawn, the same each time."""
    if len(rows) <= most:
        return rows
    shown.print(f"learning from {most} of {len(rows)} {what}, drawn 抽样")
    return [rows[n] for n in sorted(np.random.default_rng(SEED).choice(len(rows), most, replace=False).tolist())]


def conclude_subjects(learned: Learned, texts: list[str], labels: list[str], database: str, *, dry_run: bool) -> None:
    """Says from which confidence the model would act by itself, and whether its labels are the city's; then as `conclude`."""
    data_hash = hashed(zip(texts, labels, strict=True))
    numbers = numbered([text] for text in texts)
    model = Model("subjects", learned.classifier.packed(), numbers, data_hash, _figures(learned, labels))
    at, console = learned.classifier.trust.threshold(RIGHT), Console()
    console.print(
        f"applied by itself from confidence {at:.3f} 自动采用 (right in {RIGHT:.0%} at least)"
        if at is not None
        else f"only suggested 仅建议: at no confidence is it right in {RIGHT:.0%}"
    )
    if foreign := told(no_codes(database, learned.classifier.subjects)):
        console.print(f"no codes of the city in force, never applied 非本市分类编码: {' '.join(foreign)}")
    conclude(
        database,
        model,
        lambda serving: comparing.of_subjects(model, learned.said, texts, labels, serving),
        dry_run=dry_run,
    )


def _figures(learned: Learned, labels: list[str]) -> Figures:
    """Over five folds, near-duplicates on one side."""
    right = np.array([float(a == b) for a, b in zip(labels, learned.said, strict=True)])
    ones, sure = np.ones(len(labels)), learned.sure.astype(np.float64)
    at = learned.classifier.trust.threshold(RIGHT)
    figures: dict[str, measures.Figure] = {
        comparing.MACRO_F1: lambda at: measures.macro_f1(
            [labels[n] for n in at], [learned.said[n] for n in at], ones[at]
        ),
        "accuracy 准确率": lambda at: float(right[at].mean()),
        "calibration error 校准误差": lambda at: measures.calibration_error(right[at], sure[at]),
    }
    if at is not None:
        figures[f"applied by itself 自动采用 ({RIGHT})"] = lambda places: float((sure[places] >= at).mean())
    return measures.measured(range(len(labels)), figures)
