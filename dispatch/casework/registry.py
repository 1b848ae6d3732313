"""Every action by the name under which it is asked for; one family of them is one module."""

from typing import Final

from dispatch.casework import (
    adjusting,
    assisting,
    callers,
    checks,
    classifying,
    closing,
    consulting,
    desk,
    dialogue,
    dispatching,
    followups,
    handling,
    levels,
    merging,
    replies,
    requests,
    returning,
    revealing,
    reworking,
    rulings,
    splitting,
    tasks,
)
from dispatch.casework.actions import Action

ACTIONS: Final[dict[str, Action]] = {
    **desk.ACTIONS,
    **callers.ACTIONS,
    **classifying.ACTIONS,
    **checks.ACTIONS,
    **consulting.ACTIONS,
    **dispatching.ACTIONS,
    **assisting.ACTIONS,
    **handling.ACTIONS,
    **replies.ACTIONS,
    **dialogue.ACTIONS,
    **revealing.ACTIONS,
    **tasks.ACTIONS,
    **levels.ACTIONS,
    **returning.ACTIONS,
    **rulings.ACTIONS,
    **adjusting.ACTIONS,
    **requests.ACTIONS,
    **merging.ACTIONS,
    **splitting.ACTIONS,
    **closing.ACTIONS,
    **followups.ACTIONS,
    **reworking.ACTIONS,
}
