"""The documentation that the service serves of itself: /openapi.json, and /docs, a page to read."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

import msgspec
from aiohttp import web

from dispatch.api.call import Call, Reply, Route
from dispatch.api.openapi import openapi_document

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>City dispatch 一网统管</title>
<style>
body {{ font: 15px/1.6 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733 }}
h2 {{ margin-top: 2rem }} table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #d8dee6; vertical-align: top }}
code {{ font-size: .92em }} td:first-child {{ width: 5rem; font-weight: 600 }}
</style></head><body>
<h1>Operations 接口</h1>
<p>The exact types are in <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).
准确的类型定义见 <a href="/openapi.json">/openapi.json</a>。</p>
{sections}
</body></html>
"""

_TABLE = """<h2>{tag}</h2>
<table><thead><tr><th>Method 方法</th><th>Path 路径</th><th>Summary 说明</th><th>Permission 权限</th></tr></thead>
<tbody>{rows}</tbody></table>"""

# Nothing on the page is fetched from elsewhere, and no script runs in it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def routes(others: Sequence[Route]) -> list[Route]:
    """The documentation routes over all `others` and themselves; the answers are made once, here. `/` leads to the page."""

    async def openapi(_call: Call[None, None]) -> Reply:
        return Reply(document)

    async def page(_call: Call[None, None]) -> web.Response:
        return web.Response(body=html, headers={**_HTML, "Content-Security-Policy": _POLICY})

    async def front(_call: Call[None, None]) -> web.Response:
        return web.Response(status=302, headers={"Location": "/docs"})

    own = [
        Route("GET", "/", front, "To the page to read 首页", None, statuses=(302,)),
        Route("GET", "/openapi.json", openapi, "This document 接口定义", None, answer=dict[str, Any]),
        Route("GET", "/docs", page, "A page to read 接口说明", None),
    ]
    every = openapi_document([*others, *own])
    document, html = msgspec.json.encode(every), _html(every).encode()
    return own


_HTML = {"Content-Type": "text/html; charset=utf-8"}


def _html(document: dict[str, Any]) -> str:
    operations = [
        (operation["tags"][0], path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    operations.sort(key=lambda operation: operation[:3])
    sections = (
        _TABLE.format(tag=escape(tag), rows="\n".join(_row(path, method, it) for _, path, method, it in rows))
        for tag, rows in groupby(operations, key=lambda operation: operation[0])
    )
    return _PAGE.format(sections="\n".join(sections))


def _row(path: str, method: str, operation: dict[str, Any]) -> str:
    permission = operation.get("description", "Public 公开").removeprefix("Permission: ").strip("`.")
    cells = (method, f"<code>{escape(path)}</code>", escape(operation["summary"]), escape(permission))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
