"""Models as bytes: named arrays and a heading in JSON. Nothing in them is ever run."""

import zipfile
import zlib
from io import BytesIO
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
_HEADING: Final = "heading"
# What numpy raises for bytes that are not a file of arrays, or a damaged one.
_NOT_A_MODEL: Final = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
    msgspec.DecodeError,
)


class BadModel(Exception):
    """These bytes are no model."""


def pack(heading: dict[str, Any], arrays: Arrays) -> bytes:
    """The bytes; the same for the same model."""
    text = np.frombuffer(msgspec.json.encode(heading), np.uint8)
    out = BytesIO()
    np.savez_compressed(out, **{_HEADING: text}, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Heading and arrays. Raises BadModel."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        heading: dict[str, Any] = msgspec.json.decode(arrays.pop(_HEADING).tobytes(), type=dict)
    except _NOT_A_MODEL as fault:
        raise BadModel(str(fault)) from None
    return heading, arrays
