"""The clocks (计时) that carry deadlines, the windows (期限) that only bound what may be done, and the urgencies of both."""

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
    "unread",
    "followup",
    "review",
    "quarantine",
    "danger",
    "verify",
    "consult",
    "whistle",
    "report_back",
    "appeal",
)
# return: until when a unit may return; recheck: how long a visit answers for its place; remind: how long repeats are one reminder;
# appeal_window: until when a unit may appeal, from the closing.
WINDOWS: Final = ("return", "recheck", "remind", "appeal_window")
URGENCIES: Final = ("ordinary", "urgent", "critical")
