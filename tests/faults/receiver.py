"""The receiver of a webhook as a process of its own: `python -m tests.faults.receiver FILE SEED`; prints its port.

Every notice that arrives becomes a line of the file before it is answered: its id, whether it was signed as Standard Webhooks
says (the secret is in RECEIVER_SECRET) and within five minutes of now, what it said. Nothing here knows the service. The
receiver is as unreliable as receivers are: it has now and then taken a notice and says otherwise, or nothing at all.
"""

import base64
import hmac
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

from aiohttp import web

PREFIX = "whsec_"
TOLERANCE_S = 300
HANG_UP = 0
# What it answers, with how much weight. After a refusal the sender repeats this notice; after the other two it pauses as well.
ANSWERS = {204: 975, 422: 20, 500: 3, HANG_UP: 2}


def signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the signatures is ours and fresh."""
    number, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    content = f"{number}.{stamp}.".encode() + body
    ours = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), content, "sha256")).decode()
    fresh = stamp.isdecimal() and abs(int(stamp) - now) <= TOLERANCE_S
    return fresh and any(
        hmac.compare_digest(f"v1,{ours}", each) for each in headers.get("webhook-signature", "").split()
    )


def application(path: Path, secret: str, random: Random) -> web.Application:
    """Takes notices at /."""
    file = path.open("a")

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        answer = random.choices(list(ANSWERS), list(ANSWERS.values()))[0]
        line = {
            "notice": request.headers.get("webhook-id"),
            "signed": signed(secret, request.headers, body, time.time()),
            "said": json.loads(body),
            "answer": answer,
        }
        file.write(json.dumps(line) + "\n")
        file.flush()
        if answer == HANG_UP:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=answer or 204)

    app = web.Application()
    app.router.add_post("/", take)
    return app


def main() -> None:
    """Serves on a port of its own choice until it is killed."""
    app = application(Path(sys.argv[1]), os.environ["RECEIVER_SECRET"], Random(int(sys.argv[2])))
    web.run_app(app, sock=_bound(), access_log=None, print=lambda *_: None)


def _bound() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    return listening


if __name__ == "__main__":
    main()
