"""What comes with the service, as a model that serves until a city has its own: a city's first is measured against it like any later one.

`config/models/made.json` says for each kind what its figures were when it was made, and by eight bytes each which rows it was made from.
"""

import base64
from functools import cache
from typing import Final

import msgspec
import numpy as np

from dispatch.intake import addresses, texts
from dispatch.learning.register import Figures, Serving

_BODY: Final = {
    "pairs": lambda: texts.packed(texts.shipped()),
    "addresses": lambda: addresses.packed(addresses.shipped()),
}


class Made(msgspec.Struct, frozen=True):
    """How a model was made: figures with the ends of their intervals, and the numbers of its rows in base64."""

    figures: Figures
    rows: str


@cache
def shipped(kind: str) -> Serving | None:
    """What serves of a kind before a city has learned its own; None where nothing does.

    Of its figures the lower end counts: they are of other people's data.
    """
    if kind not in _BODY:
        return None
    made = msgspec.json.decode((texts.MODELS / "made.json").read_bytes(), type=dict[str, Made])[kind]
    figures: Figures = {name: (low, low, high) for name, (_, low, high) in made.figures.items()}
    seen = np.frombuffer(base64.b64decode(made.rows), ">u8").astype(np.uint64)
    return Serving(texts.VERSION, figures, seen, _BODY[kind]())
