"""Errors of the service: each class is one condition, its docstring the message, its fields the data."""

from typing import Any, ClassVar


class DispatchError(Exception):
    """Something was refused."""

    code: ClassVar[str] = "error"

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__((type(self).__doc__ or "").strip().splitlines()[0].format_map(_Known(data)))


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


# --- what was sent --------------------------------------------------------------------------------------------------


class BadInput(DispatchError):
    """{field}: {problem}"""

    code = "bad-input"


class NothingToActOn(DispatchError):
    """Neither a known category nor a text is left to act on."""

    code = "nothing-to-act-on"


class TooLarge(DispatchError):
    """{field} is larger than {limit}."""

    code = "too-large"


# --- who asked ------------------------------------------------------------------------------------------------------


class NotAuthenticated(DispatchError):
    """{problem}"""

    code = "not-authenticated"


class NotPermitted(DispatchError):
    """This needs the permission {permission}."""

    code = "not-permitted"


class PasswordChangeDue(DispatchError):
    """The first password must be changed before anything else."""

    code = "password-change-due"


class AccountLocked(DispatchError):
    """Too many failed attempts; locked until {until}."""

    code = "account-locked"


# --- what is there --------------------------------------------------------------------------------------------------


class NotFound(DispatchError):
    """There is no {noun} {key} here."""

    code = "not-found"


class KeyTaken(DispatchError):
    """This key was used for another report; additions are supplements of {receipt_no}."""

    code = "key-taken"


class IdempotencyConflict(DispatchError):
    """This Idempotency-Key was used for another request."""

    code = "idempotency-conflict"


class VersionMissing(DispatchError):
    """If-Match is required; the current version is {current_version}."""

    code = "version-missing"


class VersionStale(DispatchError):
    """Somebody was faster; the current version is {current_version}."""

    code = "version-stale"


class ActionNotAllowed(DispatchError):
    """{action} is not possible while the {noun} is {state}."""

    code = "action-not-allowed"


class RuleBroken(DispatchError):
    """{problem}"""

    code = "rule-broken"


# --- what cannot be done now ------------------------------------------------------------------------------------------


class Overloaded(DispatchError):
    """Too much is waiting; try again in {retry_after} s."""

    code = "overloaded"


class OutcomeUnknown(DispatchError):
    """The database went away while committing; send the same request again."""

    code = "outcome-unknown"


class Unavailable(DispatchError):
    """{part} is not available now; try again in {retry_after} s."""

    code = "unavailable"
