"""Serving: binds once, runs one or more workers on the same socket, drains gracefully."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable

import structlog
import uvloop
from aiohttp import web

from dispatch import bootstrap
from dispatch.api.health import DRAIN
from dispatch.people.keyring import Keyring
from dispatch.settings import Settings

log = structlog.get_logger()
# How long requests in progress may take after a stop was asked for.
GRACE_S = 10.0


def bind(host: str, port: int) -> socket.socket:
    """The listening socket, bound before any worker starts."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.set_inheritable(True)
    return listening


def run(settings: Settings, keyring: Keyring, listening: socket.socket, started: Callable[[], Awaitable[None]] | None = None) -> None:
    """Serves until SIGINT or SIGTERM; with several workers the parent only watches them."""
    if settings.workers > 1:
        _run_workers(settings, keyring, listening, started)
    else:
        uvloop.run(serve(settings, keyring, listening, started))


async def serve(
    settings: Settings, keyring: Keyring, listening: socket.socket, started: Callable[[], Awaitable[None]] | None = None
) -> None:
    """One worker: serves until a signal, then drains."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with bootstrap.services(settings, keyring) as services, bootstrap.running(services) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S, handler_cancellation=False)
        await runner.setup()
        await web.SockSite(runner, listening, backlog=1024).start()
        log.info("service.started", pid=os.getpid(), city=services.cities.current.version)
        beside = asyncio.create_task(started()) if started else None
        await stop.wait()
        log.info("service.draining", pid=os.getpid())
        app[DRAIN].set()
        services.hub.dismiss()
        if beside is not None:
            beside.cancel()
        await runner.cleanup()
    log.info("service.stopped", pid=os.getpid())


def _run_workers(
    settings: Settings, keyring: Keyring, listening: socket.socket, started: Callable[[], Awaitable[None]] | None
) -> None:
    """Forks workers before any thread or loop exists; a worker that dies is replaced, a signal goes to all."""
    children: dict[int, int] = {}
    stopping = False

    def fork(number: int) -> None:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            uvloop.run(serve(settings, keyring, listening, started if number == 0 else None))
            os._exit(0)
        children[pid] = number

    def forward(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in children:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    for number in range(settings.workers):
        fork(number)
    while children:
        pid, status = os.wait()
        number = children.pop(pid, -1)
        if not stopping and number >= 0:
            log.error("service.worker_died", pid=pid, status=status)
            fork(number)
