"""The clocks (计时) that carry deadlines, and the urgencies that change their limits."""

from typing import Final

CLOCKS: Final = (
    "dispatch",
    "close",
    "sign",
    "contact",
    "reply",
    "need_info",
    "ruling",
    "approval",
    "rectify",
    "resume",
    "order",
    "followup",
    "review",
    "quarantine",
)
URGENCIES: Final = ("ordinary", "urgent", "critical")
