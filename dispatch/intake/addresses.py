"""How address texts are compared (地址比对), as it is kept: what a city has learned from its own pairs."""

import base64
import zlib
from functools import cache
from typing import Final

import msgspec
import numpy as np

from dispatch.intake.packing import BadModel, pack, unpack
from dispatch.intake.texts import MODELS
from gridmap.address_pairs import LABELS, LEAVES, AddressModel, Trees
from gridmap.address_signs import SIGNS
from gridmap.address_sketch import SLOTS

SHIPPED: Final = MODELS / "addresses.json"
ALL_LEAVES: Final = (1 << LEAVES) - 1


@cache
def shipped() -> AddressModel:
    """The model that was learned from public pairs of addresses in Chinese cities."""
    return msgspec.json.decode(SHIPPED.read_bytes(), type=AddressModel)


def packed(model: AddressModel) -> bytes:
    """As it is kept: trees over signs and the rarity of numbered slots, no text."""
    return pack({"addresses": msgspec.to_builtins(model)}, {})


def unpacked(data: bytes) -> AddressModel:
    """What was packed, ready to be asked. Raises BadModel."""
    heading, _ = unpack(data)
    try:
        model = msgspec.convert(heading["addresses"], AddressModel)
        # No more is unpacked than there may be: a few bytes can stand for very many.
        slots = zlib.decompressobj().decompress(base64.b64decode(model.rarity), SLOTS + 1)
    except (KeyError, ValueError, zlib.error) as fault:
        raise BadModel(f"not how address texts are compared: {fault}") from None
    if len(slots) != SLOTS:
        raise BadModel(f"the rarity has not {SLOTS} slots")
    if len(model.start) != len(LABELS) or len(model.tilt) != len(LABELS):
        raise BadModel(f"not a start and a tilt for each of {', '.join(LABELS)}")
    _sound(model.trees)
    return model


def _sound(trees: Trees) -> None:
    """Every tree must find its way to a leaf of its own. Raises BadModel."""
    sizes = trees.nodes
    if not sizes or len(sizes) % len(LABELS) or not all(0 < size < LEAVES for size in sizes):
        raise BadModel(f"not a tree of 1 to {LEAVES - 1} nodes for each label in turn")
    nodes, leaves = sum(sizes), sum(sizes) + len(sizes)
    if not len(trees.signs) == len(trees.most) == len(trees.remain) == nodes or len(trees.values) != leaves:
        raise BadModel("the trees are cut")
    if not all(0 <= sign < len(SIGNS) for sign in trees.signs):
        raise BadModel("the trees ask for signs that there are not")
    if not all(0 <= remain <= ALL_LEAVES for remain in trees.remain):
        raise BadModel("leaves that there are not")
    # The last leaf of a tree lies right of every node and is never ruled out.
    remain, last = np.array(trees.remain), np.repeat(np.array(sizes), sizes)
    if not (remain >> last & 1).all():
        raise BadModel("a tree without an answer")
