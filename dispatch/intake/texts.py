"""How messages are compared, as it is kept: what comes with the service (`config/models`), and what a city has learned from its own."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from dispatch.intake.alike import PairModel, Texts
from dispatch.intake.packing import BadModel, pack, unpack
from dispatch.intake.rarity import Rarity

MODELS: Final = Path(__file__).parent.parent.parent / "config" / "models"
VERSION: Final = "shipped"


class Counted(msgspec.Struct, frozen=True):
    """Runs that stand in many messages, and in how many of `texts` each does: 4 and 2 bytes each, least significant first."""

    texts: int
    runs: bytes
    counts: bytes

    def rarity(self) -> Rarity:
        keys, counts = np.frombuffer(self.runs, "<u4"), np.frombuffer(self.counts, "<u2")
        return Rarity(self.texts, keys, np.log((self.texts + 1) / (counts + 0.5)).astype(np.float32))


@cache
def shipped() -> Texts:
    """The weights and the rarity that come with the service."""
    pairs = msgspec.json.decode((MODELS / "pairs.json").read_bytes(), type=PairModel)
    counted = msgspec.json.decode((MODELS / "rarity.json").read_bytes(), type=Counted)
    return Texts(pairs, counted.rarity(), VERSION)


def packed(texts: Texts) -> bytes:
    """As it is kept."""
    heading = {"pairs": msgspec.to_builtins(texts.pairs), "texts": texts.rarity.texts}
    return pack(heading, {"keys": texts.rarity.keys, "values": texts.rarity.values})


def unpacked(data: bytes) -> Texts:
    """What was packed. Raises BadModel."""
    heading, arrays = unpack(data)
    try:
        pairs = msgspec.convert(heading["pairs"], PairModel)
        rarity = Rarity(heading["texts"], arrays["keys"].astype(np.uint32), arrays["values"].astype(np.float32))
        return Texts(pairs, rarity, sha256(data).hexdigest()[:12])
    except (KeyError, TypeError, ValueError) as fault:
        raise BadModel(f"not how messages are compared: {fault}") from None
