"""`dispatch learn pairs`: which messages say one thing, learned from pairs that people judged."""

from pathlib import Path

import click
import numpy as np
from rich.console import Console

from dispatch.cli_backtest import FILE, mapping_option
from dispatch.cli_roster import database
from dispatch.cli_training import conclude, dry_option
from dispatch.intake.alike import SAME
from dispatch.intake.texts import packed
from dispatch.intake.words import packed as packed_words
from dispatch.learning import comparing, measures, tables
from dispatch.learning.pairs import PRECISION, beliefs, groups, learned, signs_of, weights
from dispatch.learning.register import Figures, Model, hashed, numbered


@click.command("pairs")
@click.option("--messages", type=FILE, required=True, help="CSV: message,topic,detail (诉求).")
@click.option("--pairs", type=FILE, required=True, help="CSV: message_a,message_b,label (已判定的对).")
@mapping_option
@dry_option
@database
def pairs(messages: Path, pairs: Path, mapping: tables.Names, dry_run: bool, database: str) -> None:
    """Learn which messages say one thing (学习查重).

    Labels are same, facet, topic, diff. All messages say how rare words are here; numbers of people are taken out before.

    \b
    dispatch learn pairs --messages messages.csv --pairs judged.csv --dry-run
    """
    shown = Console(stderr=True)
    try:
        with shown.status("reading 读取"):
            said = tables.messages(messages, mapping)
            judged = tables.pairs(pairs, said, mapping, judged=True)
        with shown.status(f"learning from {len(judged)} pairs 学习"):
            texts = learned(said, judged, said)
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    except ValueError as fault:
        raise click.ClickException(f"{pairs.name}: {fault}") from None
    believed = beliefs(judged, signs_of(judged, said, texts.rarity))
    rows = [
        [*sorted(packed_words(said[each]).hex() for each in (pair.one, pair.other)), pair.label or ""]
        for pair in judged
    ]
    true = np.array([float(pair.label == SAME) for pair in judged])
    figures = _figures(true, believed, groups(judged))
    model = Model("pairs", packed(texts), numbered(row[:2] for row in rows), hashed(rows), figures)
    Console().print(
        f"joins by itself from belief {texts.pairs.sure:.3f} 自动并件"
        if texts.pairs.sure <= 1
        else f"only suggests 仅建议: at no belief are {PRECISION:.0%} of the pairs one matter"
    )
    of = comparing.JudgedPairs(judged, said, believed)
    conclude(database, model, lambda serving: comparing.of_pairs(model, of, serving), dry_run=dry_run)


def _figures(true: measures.Numbers, believed: measures.Numbers, grouped: list[int]) -> Figures:
    """Over ten folds of groups, each group counting once."""
    weight = weights(grouped)
    return measures.measured(
        grouped,
        {
            comparing.PRECISION: lambda at: measures.average_precision(true[at], believed[at], weight[at]),
            f"recall at precision {PRECISION}": lambda at: measures.recall_at(
                PRECISION, true[at], believed[at], weight[at]
            ),
        },
    )
