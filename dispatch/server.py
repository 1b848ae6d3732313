"""Serving: binds once, runs one or more workers on the same socket, drains gracefully."""

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import NoReturn

import structlog
import uvloop
from aiohttp import web

from dispatch import bootstrap
from dispatch.api.health import DRAIN
from dispatch.logs import configure_logs
from dispatch.people.keyring import Keyring
from dispatch.settings import Settings

log = structlog.get_logger()
# What runs beside the service once it serves.
Beside = Callable[[], Coroutine[None, None, None]]
# How long requests in progress may take after a stop was asked for.
GRACE_S = 10.0
# A worker that cannot start is not tried without a pause.
REPLACE_S = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket, bound before any worker starts."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.set_inheritable(True)
    return listening


def run(
    settings: Settings,
    keyring: Keyring,
    listening: socket.socket,
    started: Beside | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; with several workers the parent only watches them."""
    if settings.workers > 1:
        _run_workers(settings, keyring, listening, started)
    else:
        uvloop.run(serve(settings, keyring, listening, started))
    # Whoever asks again while the caller stops the servers must not cut that short.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


async def serve(
    settings: Settings,
    keyring: Keyring,
    listening: socket.socket,
    started: Beside | None = None,
    parent: int | None = None,
) -> None:
    """One worker: serves until a signal, or until `parent`, a pipe that the parent holds open, ends; then drains."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    if parent is not None:

        def orphaned() -> None:
            loop.remove_reader(parent)
            stop.set()

        loop.add_reader(parent, orphaned)
    async with bootstrap.services(settings, keyring) as services, bootstrap.running(services) as app:
        configure_logs(settings.log_level, services.metrics.log_redactions.inc)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S, handler_cancellation=False)
        await runner.setup()
        # What was made until now stays: the collector need not walk the whole city again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        await web.SockSite(runner, listening, backlog=1024).start()
        log.info("service.started", pid=os.getpid(), port=settings.port, city=services.cities.current.version)
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
    settings: Settings,
    keyring: Keyring,
    listening: socket.socket,
    started: Beside | None,
) -> None:
    """Forks workers before any thread or loop exists; one that dies is replaced, none outlives this process."""
    children: dict[int, int] = {}
    stopping = False
    # Nothing is ever written: workers read the end of the pipe when this process is gone, however it went.
    ours, held_open = os.pipe()

    def fork(number: int) -> None:
        # A signal between the fork and the entry in `children` would reach neither.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            os.close(held_open)
            _work(serve(settings, keyring, listening, started if number == 0 else None, ours))
        children[pid] = number
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def forward(*_: object) -> None:
        nonlocal stopping
        stopping = True
        listening.close()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    for each in SIGNALS:
        signal.signal(each, forward)
    for number in range(settings.workers):
        if not stopping:
            fork(number)
    while children:
        pid, status = os.wait()
        number = children.pop(pid, -1)
        if not stopping and number >= 0:
            log.error("service.worker_died", pid=pid, status=status)
            time.sleep(REPLACE_S)
            if not stopping:
                fork(number)


def _work(work: Coroutine[None, None, None]) -> NoReturn:
    """The whole life of a worker: it never returns into what the parent has still to do."""
    code = 1
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        uvloop.run(work)
        code = 0
    except Exception:
        log.exception("service.worker_failed", pid=os.getpid())
    finally:
        os._exit(code)
