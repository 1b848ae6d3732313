"""Webhooks reach the public internet and nothing of our own."""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from dispatch.notices.errors import AddressRefused
from dispatch.notices.outbound import Answer, Outbound, PublicOnly, is_public, retry_after

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255"
    " ::1 :: fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 2002:0a00:0001::1 64:ff9b::7f00:1"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_of_our_own_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]:80/",
        "file:///etc/passwd",
        "ftp://1.1.1.1/",
        "https:///",
        "nothing",
        "http://[/",
    ],
)
async def test_a_url_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    async with Outbound() as outbound:
        with pytest.raises(AddressRefused):
            await outbound.post(url, b"{}", {}, NOW)


class Book(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_name_with_any_address_inside_is_refused() -> None:
    assert len(await PublicOnly(Book("1.1.1.1", "8.8.8.8")).resolve("a.example")) == 2
    with pytest.raises(AddressRefused):
        await PublicOnly(Book("1.1.1.1", "10.0.0.1")).resolve("a.example")


async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to() -> None:
    async with Outbound() as outbound:
        with pytest.raises(AddressRefused):
            await outbound.post("http://localhost:9/", b"{}", {}, NOW)


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def receive(request: web.Request) -> web.Response:
        assert request.path == "/hook", "followed"
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/{path}", receive)
    async with TestServer(app) as server, Outbound(allow_private=True) as outbound:
        assert await outbound.post(str(server.make_url("/hook")), b"{}", {}, NOW) == Answer(307, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("9" * 40, 10**6),
        ("Mon, 02 Mar 2026 09:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: int | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))
