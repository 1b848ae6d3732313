"""`dispatch backtest classify`: which subject a text has, learned from labelled ones, beside what its people said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.learning import measures, tables
from dispatch.learning.subjects import FOLDS, TooFewTexts, fit

SUREST: Final = 0.8


@click.command("classify")
@click.option("--cases", type=FILE, required=True, help="CSV: text; label for the figures (待判文本).")
@click.option("--train", type=FILE, required=True, help="CSV: text,label (训练文本).")
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: row,label,confidence (结果).")
def classify(cases: Path, train: Path, mapping: tables.Names, out: Path) -> None:
    """Say which subject each text has, and how sure that is (分类回测).

    Labels of --cases are used for the figures only; its texts tell which words keep company.

    \b
    dispatch backtest classify --cases new.csv --train labelled.csv --out labels.csv
    """
    shown = Console(stderr=True)
    try:
        taught = [row for _, row in tables.rows(train, ("text", "label"), mapping) if row["label"]]
        judged = tables.has(cases, "label", mapping)
        asked = [row for _, row in tables.rows(cases, ("text", *(("label",) if judged else ())), mapping)]
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    if len({row["label"] for row in taught}) < 2:
        raise click.ClickException(f"{train.name}: at least two labels are needed")
    try:
        with shown.status("learning 学习"):
            model = fit(
                [row["text"] for row in taught], [row["label"] for row in taught], [row["text"] for row in asked]
            ).classifier
    except TooFewTexts:
        raise click.ClickException(
            f"{train.name}: each label needs {FOLDS} texts that are no copies of one another"
        ) from None
    bar = track(asked, "judged 判定", console=shown, disable=not shown.is_terminal)
    found = [model.predict(row["text"]) for row in bar]
    with tables.written(out, ("row", "label", "confidence")) as writer:
        for number, (label, sure) in enumerate(found):
            writer.writerow((number, label, f"{sure:.6f}"))
    Console().print(_figures([row["label"] for row in asked] if judged else [], found))


def _figures(true: Sequence[str], found: Sequence[tuple[str, float]]) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of classifying 分类回测")
    table.add_row("texts 文本", str(len(found)), "")
    places = [n for n, label in enumerate(true) if label]
    if not places:
        return table
    labels, said = [true[n] for n in places], [found[n][0] for n in places]
    right, sure = (
        np.array([float(a == b) for a, b in zip(labels, said, strict=True)]),
        np.array([found[n][1] for n in places]),
    )
    ones = np.ones(len(places))
    figures: dict[str, measures.Figure] = {
        "macro-F1": lambda at: measures.macro_f1([labels[n] for n in at], [said[n] for n in at], ones[at]),
        "accuracy 准确率": lambda at: float(right[at].mean()),
        f"accuracy of the surest {SUREST:.0%}": lambda at: measures.of_surest(SUREST, right[at], sure[at]),
        "calibration error 校准误差": lambda at: measures.calibration_error(right[at], sure[at]),
    }
    add_figures(table, range(len(places)), figures)
    return table
