"""`dispatch backtest duplicates`: which cases without words say an earlier one again, beside what a city's people named."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.intake.allowance import Share
from dispatch.intake.located import Located, LocatedModel
from dispatch.learning import measures, tables
from dispatch.learning.located import Judged, Named, gatherings, judge, read_cases, read_named
from dispatch.learning.located_blocks import figures, named_of
from dispatch.learning.located_fit import NothingNamed, train
from dispatch.learning.pairs import Pair, groups

SHIPPED: Final = Path(__file__).parent.parent / "config" / "models" / "located_pairs.json"
SHOWN: Final = 10
HOURS: Final = 24


@click.command("duplicates")
@click.option("--cases", "cases_", type=FILE, required=True, help="CSV, also .csv.gz, in time order (待判工单).")
@click.option("--train", "train_", type=FILE, help="Cases of the named pairs to learn from (训练工单).")
@click.option("--train-pairs", type=FILE, help="CSV: dup_case,ref_case; without it the shipped model (训练对).")
@click.option("--pairs", type=FILE, help="CSV: dup_case,ref_case,distance_m; for the figures only (评判对).")
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), default=Share().most, show_default=True,
    help="Flag at most this share of the cases (标记上限).",
)  # fmt: skip
@click.option(
    "--alarm", type=click.IntRange(1), default=100, show_default=True,
    help=f"So many repeats of one matter within {HOURS} hours are an alarm (异常聚集).",
)  # fmt: skip
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: case_enquiry_id,duplicate_of,score (结果).")
def duplicates(
    cases_: Path,
    train_: Path | None,
    train_pairs: Path | None,
    pairs: Path | None,
    share: float,
    alarm: int,
    mapping: tables.Names,
    out: Path,
) -> None:
    """Say of each case which earlier one it says again, from what was known when it was opened (位置查重回测).

    Columns: case_enquiry_id open_dt closed_dt type location latitude longitude, and reason where there is one.

    \b
    dispatch backtest duplicates --cases cases.csv.gz --pairs duplicate_pairs.csv --out found.csv
    dispatch backtest duplicates --cases new.csv --train old.csv.gz --train-pairs named.csv --out found.csv
    """
    shown = Console(stderr=True)
    if (train_ is None) != (train_pairs is None):
        raise click.ClickException("--train and --train-pairs go together")
    try:
        cases = read_cases(cases_, mapping)
        named = read_named(pairs, cases, mapping) if pairs else []
        before = read_cases(train_, mapping) if train_ else []
        taught = read_named(train_pairs, before, mapping) if train_pairs else []
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    with shown.status("learning 学习"):
        model = _model(before, taught, train_pairs)
    told = judge(cases, model, _share(share))
    judged = list(track(told, "judged 判定", len(cases), console=shown, disable=not shown.is_terminal))
    with tables.written(out, ("case_enquiry_id", "duplicate_of", "score")) as writer:
        for each in judged:
            earlier = each.earlier.key if each.flagged and each.earlier else ""
            writer.writerow((each.case.key, earlier, f"{each.belief:.6f}"))
    console = Console()
    console.print(_figures(judged, named))
    console.print(_gatherings(judged, alarm))


def _model(before: Sequence[Located], taught: Sequence[Named], of: Path | None) -> LocatedModel:
    if of is None:
        return msgspec.json.decode(SHIPPED.read_bytes(), type=LocatedModel)
    try:
        return train(before, taught)
    except NothingNamed:
        raise click.ClickException(f"{of.name}: no pair of cases of --train that lie within reach") from None


def _share(most: float) -> Share:
    usual = Share()
    return msgspec.structs.replace(usual, most=most, usual=usual.usual * most / usual.most)


def _figures(judged: Sequence[Judged], named: Sequence[Named]) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of repeats by place 位置查重回测")
    flags = sum(each.flagged for each in judged)
    table.add_row("cases 工单", str(len(judged)), "")
    table.add_row("flagged 标记", f"{flags} ({flags / max(len(judged), 1):.3f})", "")
    if not named:
        return table
    said, grouped = named_of(judged), groups([Pair(*pair) for pair in named])
    of_group = {key: group for pair, group in zip(named, grouped, strict=True) for key in pair}
    near = np.array([float(of_group.get(said.get(pair.later, "")) == of_group[pair.later]) for pair in named])
    table.add_row("named pairs, in groups 已知重复对，组数", f"{len(named)}, {len(set(grouped))}", "")
    of_its_group: dict[str, measures.Figure] = {"a case of its group found 找到同组": lambda at: float(near[at].mean())}
    add_figures(table, grouped, {**figures(said, named), **of_its_group})
    return table


def _gatherings(judged: Sequence[Judged], alarm: int) -> Table:
    names = ("first case 首案", "repeats 重复", f"most within {HOURS} h", "alarm 警报")
    table = Table(*names, title="Largest groups 最大聚集")
    for key, repeats, most in gatherings(judged, HOURS)[:SHOWN]:
        table.add_row(key, str(repeats), str(most), "!" if most > alarm else "")
    return table
