"""Logging in and out; accounts and keys for the security administrator."""

from typing import Annotated, Any

import msgspec
from aiohttp import web

from dispatch.api.call import SIGNED_IN, Call, Reply, Route
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import NotAuthenticated, RuleBroken
from dispatch.people.accounts import AccountView
from dispatch.people.admission import CSRF_HEADER, SESSION_COOKIE
from dispatch.people.keys import KeyView
from dispatch.people.permissions import Role
from dispatch.people.sessions import Tokens
from dispatch.people.tokens import ACCESS_LIFE, SESSION_LIFE

REFRESH_COOKIE = "dispatch_refresh"
PATH = "/api/v1/session"

Password = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Username = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9._-]{1,31}$")]


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`console`: the tokens come as HttpOnly cookies, out of reach of scripts, and not in the body."""

    username: Name
    password: Password
    console: bool = False


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without a token: the one of the console's cookie."""

    refresh_token: str | None = None


class ChangePassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    old_password: Password
    new_password: Password


class Opened(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of a session; in the console only the one for `X-CSRF-Token`. `expires_in` is in seconds."""

    csrf_token: str
    expires_in: int
    must_change: bool
    token_type: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None


class WhoAmI(msgspec.Struct, frozen=True):
    """Who the service takes this client for."""

    name: str
    kind: str
    unit: str
    roles: list[str]
    permissions: list[str]
    channels: list[str]
    must_change: bool


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: Username
    unit: Name
    roles: Annotated[list[Role], msgspec.Meta(min_length=1)]
    title: Annotated[str, msgspec.Meta(max_length=64)] = ""


class FirstPassword(msgspec.Struct, frozen=True):
    """Shown this once; the account has to change it before anything else."""

    username: str
    password: str


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    unit: Name
    channels: Annotated[list[Name], msgspec.Meta(min_length=1)]
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1)] = ("connector",)


class MadeKey(msgspec.Struct, frozen=True):
    """Shown this once."""

    id: str
    key: str


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class AccountPage(msgspec.Struct, frozen=True):
    items: list[AccountView]
    next: str | None


class KeyPage(msgspec.Struct, frozen=True):
    items: list[KeyView]
    next: str | None


async def log_in(call: Call[LogIn, None]) -> Reply | web.Response:
    opened = await call.services.people.sessions.log_in(call.body.username, call.body.password)
    return _with_cookies(call, opened, 201) if call.body.console else Reply(_opened(opened), 201)


async def refresh(call: Call[Refresh, None]) -> Reply | web.Response:
    token = call.body.refresh_token
    from_cookie = call.request.cookies.get(REFRESH_COOKIE)
    if token is None and from_cookie is None:
        raise NotAuthenticated(problem="There is no refresh token.")
    opened = await call.services.people.sessions.refresh(token or from_cookie or "")
    return Reply(_opened(opened)) if token else _with_cookies(call, opened)


async def log_out(call: Call[None, None]) -> web.Response:
    await call.services.people.sessions.log_out(call.request.headers, call.request.cookies)
    response = web.Response(status=204, headers=_headers(call))
    response.del_cookie(SESSION_COOKIE, path="/")
    response.del_cookie(REFRESH_COOKIE, path=PATH)
    return response


async def change_password(call: Call[ChangePassword, None]) -> Reply | web.Response:
    if call.actor.kind != "account":
        raise RuleBroken(problem="A key has no password.")
    body = call.body
    opened = await call.services.people.sessions.change_password(call.actor.name, body.old_password, body.new_password)
    return Reply(_opened(opened)) if "Authorization" in call.request.headers else _with_cookies(call, opened)


async def who_am_i(call: Call[None, None]) -> Reply:
    me = call.actor
    roles, permissions, channels = sorted(me.roles), sorted(me.permissions), sorted(me.channels)
    return Reply(WhoAmI(me.name, me.kind, me.unit, roles, permissions, channels, me.must_change))


async def list_accounts(call: Call[None, PageQuery]) -> Reply:
    found = await call.services.people.accounts.list(_after(call, "accounts"), call.query.limit)
    return Reply(AccountPage(found, _next(call, "accounts", [each.username for each in found])))


async def create_account(call: Call[NewAccount, None]) -> Reply:
    new, accounts = call.body, call.services.people.accounts
    password = await accounts.create(call.actor.name, new.username, new.unit, new.roles, new.title)
    return Reply(FirstPassword(new.username, password), 201)


async def reset_password(call: Call[None, None]) -> Reply:
    username = call.params["username"]
    password = await call.services.people.accounts.reset_password(call.actor.name, username)
    return Reply(FirstPassword(username, password))


async def retire_account(call: Call[None, None]) -> Reply:
    await call.services.people.accounts.retire(call.actor.name, call.params["username"])
    return Reply(status=204)


async def list_keys(call: Call[None, PageQuery]) -> Reply:
    found = await call.services.people.keys.list(_after(call, "keys"), call.query.limit)
    return Reply(KeyPage(found, _next(call, "keys", [each.id for each in found])))


async def create_key(call: Call[NewKey, None]) -> Reply:
    new, keys = call.body, call.services.people.keys
    return Reply(MadeKey(*await keys.create(call.actor.name, new.name, new.unit, new.channels, new.roles)), 201)


async def retire_key(call: Call[None, None]) -> Reply:
    await call.services.people.keys.retire(call.actor.name, call.params["id"])
    return Reply(status=204)


def _opened(opened: Tokens) -> Opened:
    return Opened(
        opened.csrf_token, opened.expires_in, opened.must_change, "Bearer", opened.access_token, opened.refresh_token
    )


def _with_cookies(call: Call[Any, Any], opened: Tokens, status: int = 200) -> web.Response:
    """The answer to the console: tokens in cookies that no script reads and no other site's page sends."""
    body = msgspec.json.encode(Opened(opened.csrf_token, opened.expires_in, opened.must_change))
    response = web.Response(body=body, status=status, content_type="application/json", headers=_headers(call))
    # The proxy in front may end TLS; whoever forges its header only makes their own cookie stricter.
    secure = call.request.secure or call.request.headers.get("X-Forwarded-Proto") == "https"
    for name, token, path, life in (
        (SESSION_COOKIE, opened.access_token, "/", ACCESS_LIFE),
        (REFRESH_COOKIE, opened.refresh_token, PATH, SESSION_LIFE),
    ):
        response.set_cookie(
            name, token, path=path, max_age=int(life.total_seconds()), httponly=True, samesite="Strict", secure=secure
        )
    return response


def _headers(call: Call[Any, Any]) -> dict[str, str]:
    return {"Cache-Control": "no-store", "X-Request-Id": call.request_id}


def _after(call: Call[Any, PageQuery], listing: str) -> str:
    word = call.query.cursor
    return str(decode_cursor(word, call.services.cursor_key, listing).values[0]) if word else ""


def _next(call: Call[Any, PageQuery], listing: str, names: list[str]) -> str | None:
    if len(names) < call.query.limit:
        return None
    return encode_cursor(Cursor((names[-1],)), call.services.cursor_key, listing)


ROUTES = [
    Route("POST", PATH, log_in, "Log in 登录", None, body=LogIn, answer=Opened, statuses=(201,)),
    Route("GET", PATH, who_am_i, "Who am I 当前身份", SIGNED_IN, answer=WhoAmI),
    Route("DELETE", PATH, log_out, "Log out 退出", None, statuses=(204,), headers=(CSRF_HEADER,)),
    Route("POST", f"{PATH}/refresh", refresh, "Next tokens of a session 续期", None, body=Refresh, answer=Opened),
    Route(
        "POST", f"{PATH}/password", change_password, "Change one's password 修改密码", SIGNED_IN,
        body=ChangePassword, answer=Opened,
    ),
    Route(
        "GET", "/api/v1/accounts", list_accounts, "Accounts 账号", "account.manage",
        query=PageQuery, answer=AccountPage,
    ),
    Route(
        "POST", "/api/v1/accounts", create_account, "Make an account 新建账号", "account.manage",
        body=NewAccount, answer=FirstPassword, statuses=(201,),
    ),
    Route(
        "POST", "/api/v1/accounts/{username}/password", reset_password, "Set a new first password 重置密码",
        "account.manage", answer=FirstPassword,
    ),
    Route(
        "POST", "/api/v1/accounts/{username}/retire", retire_account, "End an account for good 停用账号",
        "account.manage", statuses=(204,),
    ),
    Route("GET", "/api/v1/keys", list_keys, "Keys of machines 接口密钥", "key.manage", query=PageQuery, answer=KeyPage),
    Route(
        "POST", "/api/v1/keys", create_key, "Make a key 新建密钥", "key.manage",
        body=NewKey, answer=MadeKey, statuses=(201,),
    ),
    Route("POST", "/api/v1/keys/{id}/retire", retire_key, "End a key for good 停用密钥", "key.manage", statuses=(204,)),
]  # fmt: skip
