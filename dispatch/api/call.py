"""What a route declares, what its handler gets, and how that is read from a request."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

import msgspec
from aiohttp import web

from dispatch.domain.errors import BadInput

if TYPE_CHECKING:
    from multidict import MultiMapping

    from dispatch.bootstrap import Services
    from dispatch.people.principal import Principal

B = TypeVar("B")
Q = TypeVar("Q")
S = TypeVar("S", bound=msgspec.Struct)

# For routes that any signed-in account or key may use, also while its first password is still to be changed.
SIGNED_IN = "signed-in"


@dataclass(slots=True)
class Call(Generic[B, Q]):
    """One request as its handler sees it: admitted, decoded and checked against the route's types."""

    services: "Services"
    principal: "Principal | None"
    params: Mapping[str, str]
    query: Q
    body: B
    request: web.Request
    request_id: str

    @property
    def actor(self) -> "Principal":
        """Who asks; only for routes with a permission, where the kit has made sure that there is one."""
        if self.principal is None:
            raise TypeError("a public route has no actor")
        return self.principal


@dataclass(slots=True)
class Reply:
    """An answer: `body` is encoded as JSON, or sent as it is when it is bytes (JSON already made)."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call[Any, Any]], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: where it is, who may use it, what it takes and gives.

    `path` is a template as aiohttp writes it (`/api/v1/cases/{case_no}`); `permission` None means public. `headers` are
    the request headers that the handler reads (`If-Match`, `Idempotency-Key`). `raw_body` is the content type when the
    handler reads the body itself; `body` then only documents one line of it. `answer` is the type of the body of a
    success, for the documentation only. Where `body_optional`, a request without a body is one with an empty object.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    permission: str | None
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    answer: Any = None
    statuses: tuple[int, ...] = (200,)
    headers: tuple[str, ...] = ()
    raw_body: str | None = None
    body_optional: bool = False


def body_reader(kind: type[B]) -> Callable[[bytes], B]:
    """A function from JSON bytes to `kind`; it raises `BadInput` naming the path of the field at fault.

    Refused are: what is not JSON or not UTF-8, NUL characters and lone surrogates in any string, and whatever the type
    does not allow.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(raw: bytes) -> B:
        if not raw:
            raise BadInput(field="body", problem="is missing")
        try:
            body = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _refuse(error, "body")
        if b"\\u0000" in raw:
            _refuse_nul(msgspec.json.decode(raw), "")
        return body

    return read


def query_reader(kind: type[S] | None) -> Callable[["MultiMapping[str]"], S | None]:
    """A function from query parameters to `kind` (None: the route takes none); raises `BadInput` naming the parameter.

    A parameter may be repeated only where its field holds a list, tuple or set.
    """
    many = {} if kind is None else {at.encode_name: _holds_many(at.type) for at in msgspec.structs.fields(kind)}

    def read(query: "MultiMapping[str]") -> S | None:
        values: dict[str, Any] = {}
        for name, value in query.items():
            if name not in many:
                raise BadInput(field=printable(name), problem="is not a parameter here")
            refuse_unstorable(name, value)
            if many[name]:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise BadInput(field=name, problem="is given more than once")
            else:
                values[name] = value
        if kind is None:
            return None
        try:
            return msgspec.convert(values, kind, strict=False)
        except msgspec.ValidationError as error:
            _refuse(error, "query")

    return read


def refuse_unstorable(name: str, text: str) -> None:
    """Raise `BadInput` for text from the request line or a header that no database keeps (NUL, not UTF-8)."""
    if not text.isprintable() and ("\x00" in text or printable(text) != text):
        raise BadInput(field=name, problem="has a NUL character or is not UTF-8")


def printable(text: str) -> str:
    """The text with what is not UTF-8 replaced by question marks, safe to send back."""
    return text.encode("utf-8", "replace").decode()


def _holds_many(kind: Any) -> bool:
    info = msgspec.inspect.type_info(kind)
    options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    return any(isinstance(option, _COLLECTIONS) for option in options)


_COLLECTIONS = (
    msgspec.inspect.ListType,
    msgspec.inspect.VarTupleType,
    msgspec.inspect.TupleType,
    msgspec.inspect.SetType,
    msgspec.inspect.FrozenSetType,
)

_PLACED = re.compile(r"(.*?)(?: - at `(.*)`)?", re.DOTALL)
_NAMED = re.compile(r"Object (contains unknown|missing required) field `(.*)`", re.DOTALL)


def _refuse(error: Exception, whole: str) -> Never:
    """Turn a fault of the decoder into `BadInput`; `whole` names the input when the fault is not in one field."""
    if isinstance(error, UnicodeDecodeError):
        raise BadInput(field=whole, problem="is not UTF-8") from None
    if isinstance(error, RecursionError):
        raise BadInput(field=whole, problem="is nested too deeply") from None
    if not isinstance(error, msgspec.ValidationError):
        raise BadInput(field=whole, problem="is not JSON") from None
    placed = _PLACED.fullmatch(str(error))
    problem, path = placed.groups(default="$") if placed else (str(error), "$")
    path = path.rpartition("`")[2]  # a fault of a key reads: key` in `$.path
    named = _NAMED.fullmatch(problem)
    if named:
        problem = "is not known here" if named[1] == "contains unknown" else "is required"
        path = f"{path}.{named[2]}"
    raise BadInput(field=path.removeprefix("$").removeprefix(".") or whole, problem=problem) from None


def _refuse_nul(value: Any, path: str) -> None:
    """Raise `BadInput` for the first string or key with a NUL character; PostgreSQL has no place for one."""
    if isinstance(value, str) and "\x00" in value:
        raise BadInput(field=path, problem="has a NUL character")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            at = f"{path}.{key}" if path else key
            _refuse_nul(key, at.replace("\x00", "\ufffd"))
            _refuse_nul(item, at)
