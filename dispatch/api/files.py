"""Files of cases: adding one, which there are, and what one shows."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from aiohttp import web
from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import CASE, Page
from dispatch.api.moments import moment
from dispatch.casework.filing import Added, Kind, Sent
from dispatch.domain.errors import BadInput, NotFound
from dispatch.files.reading import MIME, Point
from dispatch.insight import evidence
from dispatch.intake.locate import on_earth
from gridmap import crs

# Where and when it was taken, as its sender says: said in headers, since addresses of requests end up in the logs of proxies.
LON, LAT, CRS, TAKEN_AT = "X-Lon", "X-Lat", "X-Crs", "X-Taken-At"


class Adding(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file shows: the place before the work, the finished work, or a paper."""

    kind: Kind


async def add(call: Call[None, Adding]) -> Reply:
    headers = call.request.headers
    point, taken_at = _point(headers), _instant(headers.get(TAKEN_AT))
    sent = Sent(await call.request.read(), call.query.kind, point, taken_at)
    # It goes on if the sender hangs up: the content may be in the storage already.
    added, status = await asyncio.shield(
        asyncio.ensure_future(call.services.filing.add(call.params["case_no"], sent, call.actor))
    )
    call.services.changed()
    return Reply(added, status)


async def files(call: Call[None, None]) -> Reply:
    return Reply(Page(await evidence.files(call.services.workplace, call.actor, call.params["case_no"])))


async def content(call: Call[None, None]) -> web.Response:
    raw, case_no = call.params["file_id"], call.params["case_no"]
    if not (raw.isascii() and raw.isdecimal()) or len(raw) > 18:
        raise NotFound(noun="file", key=raw)
    at, storage = call.services.workplace, call.services.filing.storage
    type_, data = await evidence.content(at, storage, call.actor, case_no, int(raw))
    headers = {
        "Content-Type": MIME[type_],
        "Content-Disposition": f'attachment; filename="{case_no}-{raw}.{type_}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return web.Response(body=data, headers=headers)


def _point(headers: Mapping[str, str]) -> Point | None:
    """The sender's point in WGS-84. Raises BadInput naming the header."""
    if LON not in headers and LAT not in headers:
        return None
    lon, lat = _degrees(headers, LON), _degrees(headers, LAT)
    system = headers.get(CRS, "wgs84")
    if system not in crs.OFFSETS:
        raise BadInput(field=CRS, problem="not one of wgs84, cgcs2000, gcj02, bd09")
    point = crs.to_wgs84(lon, lat, system) if on_earth(lon, lat) else (lon, lat)
    if not on_earth(*point) or (lon, lat) == (0, 0):
        raise BadInput(field=LON, problem="is not a point on earth")
    return float(point[0]), float(point[1])


def _degrees(headers: Mapping[str, str], name: str) -> float:
    try:
        degrees = float(headers[name])
    except KeyError:
        raise BadInput(field=name, problem="is needed beside the other one") from None
    except ValueError:
        raise BadInput(field=name, problem="is not a number of degrees") from None
    if not isfinite(degrees):
        raise BadInput(field=name, problem="is not a number of degrees")
    return degrees


def _instant(said: str | None) -> datetime | None:
    """When it was taken, with its offset. Raises BadInput."""
    if said is None:
        return None
    try:
        given = datetime.fromisoformat(said)
    except ValueError:
        raise BadInput(field=TAKEN_AT, problem="is not a time by RFC 3339") from None
    if given.tzinfo is None or not 1990 <= given.year <= 2200:
        raise BadInput(field=TAKEN_AT, problem="needs its offset, and a year after 1990")
    return moment(TAKEN_AT, given)


ROUTES = [
    Route(
        "POST", f"{CASE}/files", add, "Add a picture, a video or a paper; its type is found from its content 上传附件", "file.add",
        query=Adding, answer=Added, statuses=(201, 200), headers=(LON, LAT, CRS, TAKEN_AT), raw_body="application/octet-stream",
    ),
    Route("GET", f"{CASE}/files", files, "Its files, without their content 附件列表", "case.read", answer=Page),
    Route("GET", f"{CASE}/files/{{file_id}}", content, "The content of a file; logged 查看附件", "case.read"),
]  # fmt: skip
