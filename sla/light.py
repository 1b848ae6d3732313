"""The traffic light (红黄绿灯) of a running limit."""

from typing import Final, Literal

Light = Literal["green", "yellow", "red"]

WARNING: Final = 0.8


def light(used: float) -> Light:
    """Colour for the share of a limit that is used (1.0 = all of it).

    Green below 80 %, yellow from 80 % to the whole limit, red beyond it: the lights that city-management systems show.
    """
    if used < WARNING:
        return "green"
    return "yellow" if used <= 1 else "red"
