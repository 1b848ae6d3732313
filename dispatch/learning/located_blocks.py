"""How models of located cases do on cases that they have not seen (评估): blocks of time, each judged by the rest, in one stream."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Final

import numpy as np

from dispatch.intake.allowance import Allowance, Share
from dispatch.intake.located import Located
from dispatch.learning.located import Judged, Named, met, told
from dispatch.learning.located_fit import train
from dispatch.learning.measures import Figure, Numbers

BLOCKS: Final = 5
FLAGGED: Final = "the later one flagged 后者被标记"
FOUND: Final = "the pair itself found 找到该对"


def unseen(cases: Sequence[Located], named: Sequence[Named], share: Share) -> Iterator[Judged]:
    """What is said of each case by a model of the other blocks of time. Raises NothingNamed.

    A pair that reaches into the block is kept from its model, and so are the cases of the block.
    """
    edges = [len(cases) * n // BLOCKS for n in range(BLOCKS + 1)]
    allowance: Allowance | None = None
    for start, end in pairwise(edges):
        inside = {case.key for case in cases[start:end]}
        outside = [pair for pair in named if not inside.intersection(pair)]
        model = train([*cases[:start], *cases[end:]], outside)
        allowance = allowance or Allowance(share, model.usual)
        # From the first case on: what came before the block may be meant by the cases in it.
        for case, found in islice(met(cases[:end], model), start, None):
            yield told(model, case, found, allowance)


def named_of(judged: Iterable[Judged]) -> dict[str, str]:
    """Each flagged case and the earlier one that is named for it."""
    return {each.case.key: each.earlier.key for each in judged if each.flagged and each.earlier}


def flagged(said: Mapping[str, str], named: Sequence[Named]) -> Numbers:
    """For each pair, whether its later case was flagged."""
    return np.array([float(pair.later in said) for pair in named])


def figures(said: Mapping[str, str], named: Sequence[Named]) -> dict[str, Figure]:
    """Of the pairs that people named: the later one flagged, and the pair itself found."""
    later = flagged(said, named)
    right = np.array([float(said.get(pair.later) == pair.earlier) for pair in named])
    return {FLAGGED: lambda at: float(later[at].mean()), FOUND: lambda at: float(right[at].mean())}
