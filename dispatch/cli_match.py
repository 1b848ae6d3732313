"""`dispatch backtest match`: whether two messages of a city's history say one thing, beside what its people judged."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.intake.alike import SAME
from dispatch.learning import measures, tables
from dispatch.learning.pairs import PRECISION, Pair, groups, learned, signs_of, weights


@click.command("match")
@click.option("--messages", type=FILE, required=True, help="CSV: message,caller,time,topic,detail (诉求).")
@click.option("--pairs", type=FILE, required=True, help="CSV: message_a,message_b; label for the figures (待判对).")
@click.option("--train-messages", type=FILE, help="Messages of the judged pairs to learn from; else --messages.")
@click.option("--train-pairs", type=FILE, help="CSV: message_a,message_b,label; without it the shipped model (训练对).")
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: message_a,message_b,verdict,score (结果).")
def match(
    messages: Path, pairs: Path, train_messages: Path | None, train_pairs: Path | None, mapping: tables.Names, out: Path
) -> None:
    """Say of each pair whether it is one matter: same, facet, topic or diff, and how far `same` is believed (查重回测).

    Labels of --pairs are used for the figures only.

    \b
    dispatch backtest match --messages m.csv --pairs p.csv --out verdicts.csv
    dispatch backtest match --messages m.csv --pairs p.csv --train-messages old.csv --train-pairs judged.csv --out verdicts.csv
    """
    shown = Console(stderr=True)
    try:
        said = tables.messages(messages, mapping)
        asked = tables.pairs(pairs, said, mapping, judged=False)
        before = tables.messages(train_messages, mapping) if train_messages else said
        taught = tables.pairs(train_pairs, before, mapping, judged=True) if train_pairs else []
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    try:
        texts = learned(before, taught, said)
    except ValueError as fault:
        raise click.ClickException(f"--train-pairs: {fault}") from None
    with tables.written(out, ("message_a", "message_b", "verdict", "score")) as writer:
        judged = [
            (pair, *texts.pairs.judge(signs_of([pair], said, texts.rarity)[0]))
            for pair in track(asked, "judged 判定", console=shown, disable=not shown.is_terminal)
        ]
        for pair, verdict, score in judged:
            writer.writerow((pair.one, pair.other, verdict, f"{score:.6f}"))
    Console().print(_figures([each for each in judged if each[0].label], len(judged)))


def _figures(judged: Sequence[tuple[Pair, str, float]], rows: int) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of matching 查重回测")
    table.add_row("pairs 对", str(rows), "")
    if not judged:
        table.add_row("with a label 有标签", "0", "")
        return table
    grouped = groups([pair for pair, _, _ in judged])
    weight, score = weights(grouped), np.array([each for _, _, each in judged])
    true = np.array([float(pair.label == SAME) for pair, _, _ in judged])
    labels, verdicts = [pair.label or "" for pair, _, _ in judged], [verdict for _, verdict, _ in judged]
    table.add_row("with a label, in groups 有标签，组数", f"{len(judged)}, {len(set(grouped))}", "")
    figures: dict[str, measures.Figure] = {
        "average precision of same": lambda at: measures.average_precision(true[at], score[at], weight[at]),
        f"recall at precision {PRECISION}": lambda at: measures.recall_at(PRECISION, true[at], score[at], weight[at]),
        "macro-F1 of the labels": lambda at: measures.macro_f1(
            [labels[n] for n in at], [verdicts[n] for n in at], weight[at]
        ),
    }
    add_figures(table, grouped, figures)
    return table
