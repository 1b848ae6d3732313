"""From a webhook's registration to the signed notice at its receiver."""

import asyncio
import base64
import hmac

from aiohttp import web

from tests.harness.town import Town, principal, report

ADMIN = principal("sysadmin", "dispatch")


async def test_a_registered_receiver_gets_a_signed_notice_of_its_unit(a_town: Town) -> None:
    received: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        received.put_nowait((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        headers = a_town.acts_as(ADMIN)
        made = await a_town.http.post(
            f"{a_town.url}/api/v1/webhooks", json={"id": "drains", "url": url, "units": ["drainage"]}, headers=headers
        )
        secret = (await made.json())["secret"]
        again = await a_town.http.post(
            f"{a_town.url}/api/v1/webhooks", json={"id": "drains", "url": url}, headers=headers
        )
        assert (made.status, again.status) == (201, 409)
        caller = {"name": "市民", "phone": "19900000001"}
        await a_town.send(report(caller=caller))
        await a_town.send(report(caller=caller, text="又来反映一次，路口积水还是很深"))
        sent, body = await asyncio.wait_for(received.get(), 30)
    finally:
        await runner.cleanup()
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert sent["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert b"19900000001" not in body


async def test_an_open_inbox_hears_of_a_notice_at_once(a_town: Town) -> None:
    handler = principal("handler", "drainage")
    async with a_town.http.ws_connect(f"{a_town.url}/api/v1/live", headers=a_town.acts_as(handler)) as socket:
        await socket.send_json({"type": "subscribe", "feeds": ["inbox"]})
        assert (await socket.receive_json())["type"] == "subscribed"
        caller = {"name": "市民", "phone": "19900000001"}
        _, first = await a_town.send(report(caller=caller))
        await a_town.send(report(caller=caller, text="又来反映一次，路口积水还是很深"))
        told = await socket.receive_json(timeout=10)
        while told["type"] != "notice":
            told = await socket.receive_json(timeout=10)
    assert (told["case_no"], told["topic"], told["recipient"]) == (first["case_no"], "reminder", "unit:drainage")
