"""The load: a process of its own with a fixed number of keep-alive clients that post prepared bodies one after the other."""

import asyncio
import json
import sys
from time import perf_counter

import aiohttp
import uvloop

CLIENTS = 64


async def run(url: str, key: str, bodies: list[bytes], clients: int) -> dict[str, object]:
    """Posts every body once; requests a second, latencies in milliseconds, statuses."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    waiting = iter(bodies)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def client(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            began = perf_counter()
            async with session.post(url, data=body) as answer:
                await answer.read()
            latencies.append((perf_counter() - began) * 1000)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        began = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        seconds = perf_counter() - began
    latencies.sort()
    return {
        "per_s": len(bodies) / seconds,
        "p50_ms": latencies[len(latencies) // 2],
        "p99_ms": latencies[int(len(latencies) * 0.99)],
        "statuses": statuses,
    }


if __name__ == "__main__":
    given_url, given_key, path, count = sys.argv[1:5]
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    print(json.dumps(uvloop.run(run(given_url, given_key, lines, int(count)))))
