"""The knowledge base: finding, reading and keeping answers."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.moments import moment
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.desk import knowledge
from dispatch.desk.knowledge import Article, Found, Wanted, Writing
from dispatch.domain.errors import NotFound

V1 = "/api/v1"
Code = Annotated[str, Meta(max_length=64)]


class KnowledgeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Words, a category, an area, the owner with all below it; `stale`: those that ran out, in place of the valid ones."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    category: Code | None = None
    area: Code | None = None
    unit: Code | None = None
    stale: bool = False
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Version(Struct, frozen=True, forbid_unknown_fields=True):
    """One version, also an old one; without a number the one in use."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class ArticlePage(Struct, frozen=True):
    """A page of articles; without `next` it was the last."""

    items: list[Found]
    next: str | None = None


async def articles(call: Call[None, KnowledgeQuery]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "knowledge").values[0] if query.cursor else None
    wanted = Wanted(query.q, query.category, query.area, query.unit, query.stale)
    found = await knowledge.articles(call.services.workplace, wanted, after, query.limit)
    more = encode_cursor(Cursor((found[-1].id,)), key, "knowledge") if len(found) == query.limit else None
    return Reply(ArticlePage(found, more))


async def article(call: Call[None, Version]) -> Reply:
    return _one(await knowledge.article(call.services.workplace, _id(call), call.query.version))


async def write(call: Call[Writing, None]) -> Reply:
    return _one(await knowledge.add(call.services.workplace, _kept(call.body), call.actor), 201)


async def rewrite(call: Call[Writing, None]) -> Reply:
    if_match = call.request.headers.get("If-Match")
    return _one(await knowledge.rewrite(call.services.workplace, _id(call), _kept(call.body), call.actor, if_match))


async def take_back(call: Call[None, None]) -> Reply:
    await knowledge.take_back(call.services.workplace, _id(call), call.actor)
    return Reply(status=204)


def _kept(writing: Writing) -> Writing:
    return msgspec.structs.replace(writing, valid_until=moment("valid_until", writing.valid_until))


def _one(found: Article, status: int = 200) -> Reply:
    return Reply(found, status, {"ETag": f'"{found.version}"'})


def _id(call: Call[Any, Any]) -> int:
    raw = call.params["article"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="article", key=raw)
    return int(raw)


READ, WRITE = "knowledge.read", "knowledge.write"
ONE = f"{V1}/knowledge/{{article}}"
ROUTES = [
    Route(
        "GET", f"{V1}/knowledge", articles, "Answers that are at hand, by words, category, area 知识库检索", READ,
        query=KnowledgeQuery, answer=ArticlePage,
    ),
    Route("GET", ONE, article, "One article, in any version 知识条目", READ, query=Version, answer=Article),
    Route(
        "POST", f"{V1}/knowledge", write, "A new article 新增知识", WRITE, body=Writing, answer=Article, statuses=(201,),
    ),
    Route(
        "PUT", ONE, rewrite, "A new version of an article 更新知识", WRITE, body=Writing, answer=Article,
        headers=("If-Match",),
    ),
    Route("DELETE", ONE, take_back, "Offer an article no more; its versions stay 撤回知识", WRITE, statuses=(204,)),
]  # fmt: skip
