"""The permission table (权限表): which role may do what, as data."""

from collections.abc import Collection, Mapping
from typing import Literal, get_args

Role = Literal[
    "operator",
    "dispatcher",
    "handler",
    "unit_head",
    "reviewer",
    "followup",
    "collector",
    "supervisor",
    "commander",
    "connector",
    "replayer",
    "restricted_reader",
    "sysadmin",
    "secadmin",
    "auditor",
]

Permission = Literal[
    "report.submit",
    "report.read",
    "report.supplement",
    "report.relay",
    "report.backfill",
    "sensor.submit",
    "preview.read",
    "caller.lookup",
    "text.unmask",
    "restricted.read",
    "quarantine.read",
    "quarantine.release",
    "case.read",
    "case.desk",
    "case.call",
    "case.expunge",
    "case.restore",
    "case.dispatch",
    "case.emergency",
    "case.rule",
    "case.urge",
    "case.merge",
    "case.sign",
    "case.return",
    "case.reply",
    "case.sign_off",
    "case.note",
    "case.tell",
    "case.reveal",
    "case.approve",
    "case.inspect",
    "case.waive",
    "case.adjust",
    "case.direct",
    "case.appeal",
    "case.close",
    "case.conclude",
    "case.reopen",
    "case.settle",
    "request.decide",
    "appeal.judge",
    "task.manage",
    "task.handover",
    "check.read",
    "check.report",
    "file.add",
    "knowledge.read",
    "knowledge.write",
    "incident.read",
    "incident.manage",
    "emergency.read",
    "emergency.manage",
    "proposal.read",
    "proposal.decide",
    "queue.read",
    "queue.pull",
    "order.read",
    "order.issue",
    "order.answer",
    "escalation.read",
    "escalation.ack",
    "roster.read",
    "roster.manage",
    "notice.read",
    "notice.load",
    "live.read",
    "stats.read",
    "city.read",
    "city.load",
    "webhook.manage",
    "account.manage",
    "key.manage",
    "audit.read",
]

# What everybody needs who works with cases.
_WORK: frozenset[Permission] = frozenset({
    "case.read", "notice.read", "live.read", "city.read", "knowledge.read", "incident.read", "order.read",
})  # fmt: skip
_DESK: frozenset[Permission] = _WORK | {
    "report.read",
    "report.supplement",
    "text.unmask",
    "caller.lookup",
    "stats.read",
}
_TASK: frozenset[Permission] = _WORK | {
    "case.sign", "case.return", "case.reply", "queue.read", "queue.pull", "text.unmask", "escalation.read",
    "roster.read", "case.call", "case.note", "case.tell", "case.reveal",
    "file.add", "order.answer",
}  # fmt: skip
_WATCH: frozenset[Permission] = _WORK | {
    "report.read", "queue.read", "quarantine.read", "escalation.read", "escalation.ack", "stats.read",
    "roster.read", "roster.manage", "case.call", "incident.manage", "check.read", "proposal.read",
    "case.note", "case.urge", "order.issue", "notice.load",
    "emergency.read",
}  # fmt: skip

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    # 话务员: takes reports, tells callers the progress.
    "operator": _DESK | {"report.submit", "preview.read", "case.desk", "case.call", "case.expunge", "case.note", "case.tell",
        "file.add", "case.urge",
    },
    # 派单员: decides what the service leaves to a person; sends cases to units.
    "dispatcher": _DESK | {
        "report.submit", "preview.read", "quarantine.read", "quarantine.release", "case.dispatch", "case.adjust",
        "request.decide", "appeal.judge",
        "queue.read", "escalation.read", "roster.read", "case.desk", "case.call", "case.expunge", "case.emergency", "case.merge",
        "check.read", "knowledge.write", "incident.manage", "proposal.read", "case.note", "case.tell",
        "case.inspect", "file.add", "case.urge", "order.answer",
    },
    # 承办人
    "handler": _TASK,
    # 承办单位负责人: answers for its unit's deadlines and for who is on duty.
    "unit_head": _TASK | {"escalation.ack", "stats.read", "roster.manage", "task.manage", "task.handover",
        "knowledge.write", "case.sign_off", "notice.load", "request.decide", "case.appeal",
    },
    # 审核员: approves or sends back a reply; never one who writes replies.
    "reviewer": _WORK | {
        "report.read", "text.unmask", "case.approve", "queue.read", "escalation.read", "stats.read", "case.note",
        "case.inspect",
    },
    # 回访员: asks the citizen, then closes or opens a new round.
    "followup": _DESK | {"case.close", "case.reopen", "queue.read", "case.note", "order.answer"},
    # 采集员: patrols; sees what they reported, not what others did.
    "collector": frozenset({
        "report.submit", "report.read", "report.supplement", "preview.read", "notice.read", "city.read", "check.read",
        "check.report", "file.add",
    }),
    # 督办员, of the city or a district.
    "supervisor": _WATCH | {
        "case.adjust", "case.reopen", "case.rule", "case.restore", "case.expunge", "case.conclude", "proposal.decide",
        "case.waive", "case.direct", "request.decide", "appeal.judge",
    },
    # 值班长 of the command centre: may send a case elsewhere in an emergency, and declares one.
    "commander": _WATCH | {"case.dispatch", "case.emergency", "emergency.manage"},
    # A system that hands reports over, bound to its channels; 转办 from superiors carries its own times and limits.
    "connector": frozenset({
        "report.submit", "report.read", "report.supplement", "report.relay", "sensor.submit", "city.read",
    }),
    # Feeds a city's history with its own times of intake and closing; given to a key for as long as that takes.
    "replayer": frozenset({"report.submit", "report.read", "report.backfill", "case.settle"}),
    # Named for restricted cases (举报, 家暴, minors), beside the role in which the account works.
    "restricted_reader": frozenset({"restricted.read"}),
    # The three administrators (三员) keep each other in check: no permission in common, none for cases or callers.
    "sysadmin": frozenset({"city.load", "city.read", "webhook.manage"}),
    "secadmin": frozenset({"account.manage", "key.manage", "task.handover"}),
    "auditor": frozenset({"audit.read"}),
}  # fmt: skip

ROLES: tuple[Role, ...] = get_args(Role)
ADMINISTRATORS: frozenset[Role] = frozenset({"sysadmin", "secadmin", "auditor"})


def permissions_of(roles: Collection[str]) -> frozenset[str]:
    """Everything that any of the roles may do. Roles that are no more in the table add nothing."""
    return frozenset[str]().union(*(granted for role, granted in PERMISSIONS.items() if role in roles))


def incompatible(roles: Collection[str]) -> bool:
    """Whether one account may not hold these roles together.

    An administrator holds no other role, and nobody approves replies who also writes them.
    """
    if ADMINISTRATORS.intersection(roles):
        return len(set(roles)) > 1
    return {"case.approve", "case.reply"} <= permissions_of(roles)
