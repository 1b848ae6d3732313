"""Figures for Prometheus, one registry for each process.

With several workers every worker keeps its own figures, and a scrape of the shared port reads whichever worker takes
the connection: `dispatch_process_info` says which one. Counters of one process never go back, so rates hold per `pid`.
No label ever holds personal data: routes are templates, not paths.
"""

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dispatch.api.call import Call, Route


async def scrape(call: Call[None, None]) -> web.Response:
    text = generate_latest(call.services.metrics.registry)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES: list[Route] = [Route("GET", "/metrics", scrape, "Figures of this process for Prometheus 指标", None)]
