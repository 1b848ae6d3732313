"""Every action by the name under which it is asked for; one family of them is one module."""

from typing import Final

from dispatch.casework import adjusting, callers, closing, desk, dispatching, handling, returning
from dispatch.casework.actions import Action

ACTIONS: Final[dict[str, Action]] = {
    **desk.ACTIONS,
    **callers.ACTIONS,
    **dispatching.ACTIONS,
    **handling.ACTIONS,
    **returning.ACTIONS,
    **adjusting.ACTIONS,
    **closing.ACTIONS,
}
