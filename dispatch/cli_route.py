"""`dispatch backtest route`: whose a case would have been, learned from the cases before it, beside whose it was."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.learning import tables
from dispatch.learning.astray import Worth, matrix, worth_fixing
from dispatch.learning.routing import fit
from dispatch.learning.unit_names import renames

BEST: Final = 3
SHOWN: Final = 15
# Fewer cases say nothing of who does what.
FEWEST: Final = 50


@click.command("route")
@click.option("--cases", type=FILE, required=True, help="CSV, also .csv.gz: the cases to be judged (待判工单).")
@click.option("--train", type=FILE, required=True, help="CSV: cases that were handled before (训练工单).")
@click.option("--target", required=True, metavar="COLUMN", help="Who handled a case (承办单位列).")
@click.option("--features", required=True, metavar="A,B,…", help="What is known at intake, by column (特征列).")
@click.option("--time", required=True, metavar="COLUMN", help="When it came in, beginning YYYY-MM-DD (时间列).")
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: row,first,second,third,confidence (结果).")
def route(cases: Path, train: Path, target: str, features: str, time: str, mapping: tables.Names, out: Path) -> None:
    """Propose three units for each case, from what was handled before (派单回测).

    Where --cases has the target column it is used for the figures only: how often the first choice was right, who would get
    whose work, and which rows of a duty book (by the two features that tell most) are most worth fixing.

    \b
    dispatch backtest route --cases new.csv --train old.csv --target dispose_unit --features street,community,sub_type \\
        --time create_time --out units.csv
    """
    shown = Console(stderr=True)
    columns = [column.strip() for column in features.split(",") if column.strip()]
    try:
        before = tables.handled(train, columns, target, time, mapping)
        judged = tables.has(cases, target, mapping)
        asked = [row for _, row in tables.rows(cases, [*columns, *([target] if judged else ())], mapping)]
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    if len(before) < FEWEST:
        raise click.ClickException(
            f"{train.name}: {len(before)} cases with {target} are too few to learn from; {FEWEST} at least"
        )
    with shown.status("learning 学习"):
        model = fit(before, columns, target, time)
    ranked = model.rank(asked, BEST)
    with tables.written(out, ("row", "first", "second", "third", "confidence")) as writer:
        for number, best in enumerate(ranked):
            units = [unit for unit, _ in best] + [""] * (BEST - len(best))
            writer.writerow((number, *units, f"{best[0][1]:.6f}"))
    console = Console()
    console.print(_figures([row[target] for row in asked] if judged else [], ranked))
    if known := [(row, best[0][0]) for row, best in zip(asked, ranked, strict=True) if judged and row[target]]:
        true, first = [row[target] for row, _ in known], [unit for _, unit in known]
        console.print(_matrix(matrix(true, first)))
        # A row of a duty book goes by a kind and an area: the two columns that together told most.
        by = next((each for each in model.tables.subsets if len(each) == 2), tuple(columns[:2]))
        console.print(_worth(worth_fixing([row for row, _ in known], by, true, first), by))
    if found := renames(before, model.tables.names, columns, target, time):
        console.print(renames_table(found[:SHOWN]))


def _figures(true: Sequence[str], ranked: Sequence[Sequence[tuple[str, float]]]) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of routing 派单回测")
    table.add_row("cases 工单", str(len(ranked)), "")
    with_target = [n for n, unit in enumerate(true) if unit]
    if with_target:
        hits = np.array(
            [[true[n] == unit for unit, _ in ranked[n]] + [False] * (BEST - len(ranked[n])) for n in with_target]
        )
        add_figures(
            table,
            range(len(hits)),
            {
                "first choice 首选": lambda at: float(hits[at, 0].mean()),
                f"in the first {BEST} 前三": lambda at: float(hits[at].any(1).mean()),
            },
        )
    return table


def _matrix(found: Counter[tuple[str, str]]) -> Table:
    table = Table("would have gone to 建议", "was handled by 实际", "cases 件", title="Who gets whose work 错派")
    for (said, unit), cases in found.most_common(SHOWN):
        table.add_row(said, unit, str(cases))
    return table


def _worth(found: Sequence[Worth], columns: Sequence[str]) -> Table:
    title = "Rows of the duty book most worth fixing 最值得修订的权责条目"
    table = Table(*columns, "cases 件", "astray 错派", "nearly always 通常", "share 占比", title=title)
    for each in found[:SHOWN]:
        table.add_row(*each.key, str(each.cases), str(each.astray), each.unit, f"{each.share:.2f}")
    return table


def renames_table(found: Sequence[object]) -> Table:
    """Names that took over from others, each with its first day."""
    names = ("old", "new", "since", "old_last_seen", "likeness")
    table = Table(*names, title="Names that took over 更名")
    for each in found:
        table.add_row(*(str(getattr(each, name)) for name in names))
    return table
