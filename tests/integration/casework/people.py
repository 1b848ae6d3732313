"""Who works in these tests, and how they come on duty."""

from datetime import datetime

from tests.harness.town import Town, principal

HANDLER = principal("handler", "drainage")
HEAD = principal("unit_head", "drainage")
STRANGER = principal("handler", "gas")
DISPATCHER = principal("dispatcher", "dispatch")
REVIEWER = principal("reviewer", "dispatch")
FOLLOWUP = principal("followup", "hotline")
OPERATOR = principal("operator", "hotline")
SUPERVISOR = principal("supervisor", "supervision")
COMMANDER = principal("commander", "city")
# A place of its own for each report, so that none is taken for another's.
CITIZEN = {"name": "张三丰", "phone": "13812345678"}
WHO = {
    "accept": OPERATOR,
    "ask": OPERATOR,
    "answer": OPERATOR,
    "end": OPERATOR,
    "reject": OPERATOR,
    "refer": OPERATOR,
    "restore": SUPERVISOR,
    "send_back": DISPATCHER,
    "retract": OPERATOR,
    "call": OPERATOR,
    "expunge": OPERATOR,
    "check": DISPATCHER,
    "consult": DISPATCHER,
    "advise": principal("handler", "gas"),
    "redispatch": DISPATCHER,
    "emergency": COMMANDER,
    "dispute": DISPATCHER,
    "interim": DISPATCHER,
    "rule": SUPERVISOR,
    "assist": DISPATCHER,
    "divide": DISPATCHER,
    "merge": DISPATCHER,
    "unmerge": SUPERVISOR,
    "attach": DISPATCHER,
    "detach": DISPATCHER,
    "dismiss": DISPATCHER,
    "assign": HEAD,
    "delegate": HEAD,
    "recall": HEAD,
    "redo": HEAD,
    "whistle": HEAD,
    "hand_up": HEAD,
    "hand_down": HEAD,
    "report_back": FOLLOWUP,
    "dispatch": DISPATCHER,
    "sign": HANDLER,
    "contact": HANDLER,
    "return": HANDLER,
    "reply": HANDLER,
    "sign_off": HEAD,
    "note": HANDLER,
    "tell": HANDLER,
    "reveal": HANDLER,
    "approve": REVIEWER,
    "inspect": DISPATCHER,
    "waive": SUPERVISOR,
    "close": FOLLOWUP,
    "attempt": FOLLOWUP,
    "rework": REVIEWER,
    "rectify": FOLLOWUP,
    "conclude": SUPERVISOR,
    "reopen": SUPERVISOR,
    "reclassify": DISPATCHER,
    "suspend": SUPERVISOR,
    "resume": SUPERVISOR,
    "extend": SUPERVISOR,
    "request": HANDLER,
    "decide": SUPERVISOR,
    "urge": SUPERVISOR,
    "order": SUPERVISOR,
    "raise_order": SUPERVISOR,
    "answer_order": HANDLER,
    "decide_order": SUPERVISOR,
    "appeal": HEAD,
    "judge": DISPATCHER,
}


async def account(town: Town, name: str, role: str, unit: str) -> None:
    """Somebody who can be told, and cannot log in."""
    await town.rows(
        "INSERT INTO accounts (username, unit, roles, password_hash) VALUES ($1, $2, $3, '$argon2id$none')",
        name,
        unit,
        [role],
    )


async def shift(town: Town, unit: str, role: str, name: str, starts_at: datetime, ends_at: datetime) -> None:
    """Somebody on duty for a post."""
    await town.rows(
        "INSERT INTO shifts (unit, role, account, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, 't', $4)",
        unit,
        role,
        name,
        starts_at,
        ends_at,
    )


async def leave(town: Town, name: str, starts_at: datetime, ends_at: datetime, stand_in: str | None = None) -> None:
    """Somebody away."""
    await town.rows(
        "INSERT INTO leaves (account, starts_at, ends_at, stand_in, made_by, made_at) VALUES ($1, $2, $3, $4, 't', $2)",
        name,
        starts_at,
        ends_at,
        stand_in,
    )


async def staffed(town: Town) -> None:
    """A handler and a head at drainage, a supervisor and a commander."""
    for name, role, unit in (
        ("w1", "handler", "drainage"), ("h1", "unit_head", "drainage"), ("sup", "supervisor", "supervision"), ("com", "commander", "city"),
    ):  # fmt: skip
        await account(town, name, role, unit)
