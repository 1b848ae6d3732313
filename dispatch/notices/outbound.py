"""The way out: HTTP to addresses that others chose, kept away from our own network."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from dispatch.notices.errors import AddressRefused

# Standard Webhooks advises 15 to 30 s.
ATTEMPT_S = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status, and how long it wants to be left alone."""

    status: int
    retry_after: timedelta | None


class Outbound:
    """An HTTP client for webhooks, as an asynchronous context manager.

    Follows no redirect. Unless `allow_private`, an address that is not public is refused after its name is resolved and
    before it is connected to, so a name that changes its mind between the two gains nothing.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        resolver: AbstractResolver = ThreadedResolver()
        if not self._allow_private:
            resolver = PublicOnly(resolver)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=ATTEMPT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes, headers: dict[str, str], now: datetime) -> Answer:
        """POST once; the body of the answer is not read.

        Raises `AddressRefused`, `aiohttp.ClientError`, `TimeoutError`.
        """
        assert self._session is not None, "entered as a context manager"
        target = _checked(url, allow_private=self._allow_private)
        async with self._session.post(target, data=body, headers=headers, allow_redirects=False) as response:
            return Answer(response.status, retry_after(response.headers.get("Retry-After"), now))


class PublicOnly(AbstractResolver):
    """Resolves names to public addresses only."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `AddressRefused` if any address of the name is not public."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if not is_public(ip_address(result["host"].partition("%")[0])):
                raise AddressRefused(host, "its address is not public")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet; an IPv6 address that carries an IPv4 one is judged by that."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        # 64:ff9b::/96 (RFC 6052) leads to whatever IPv4 address its last four bytes are.
        if address.packed[:12] == bytes.fromhex("0064ff9b") + bytes(8):
            return is_public(IPv4Address(address.packed[12:]))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for (RFC 9110: seconds or a date); None: nothing readable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        # Longer than any pause we make; the caller bounds it.
        return timedelta(seconds=min(int(value), 10**6))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)


def _checked(url: str, *, allow_private: bool) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise AddressRefused(url, "it is not a URL") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise AddressRefused(url, "only http and https with a host")
    if not allow_private:
        # An address that stands in the URL itself never reaches the resolver.
        try:
            literal = ip_address(target.host)
        except ValueError:
            return target
        if not is_public(literal):
            raise AddressRefused(url, "its address is not public")
    return target
