"""The two places where files can be kept: a folder, and an S3 service in a process of its own that checks every signature."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from dispatch.files.storage import Storage, open_storage

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
# Who makes the user, the key and the policy has none yet.
UNSIGNED = 3


@dataclass(frozen=True)
class Service:
    """A running S3 service, and the keys of its one user."""

    url: str
    environ: dict[str, str]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED)}
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    log = tmp_path_factory.mktemp("s3") / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
    try:
        _wait_for(port, server, log)
        yield _prepared(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(log.read_text())


def _prepared(url: str) -> Service:
    """A user who may do everything with buckets, and a bucket."""

    def client(name: str, key: str, secret: str) -> "boto3.client":
        return boto3.client(
            name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
        )

    admin = client("iam", "nobody", "yet")
    admin.create_user(UserName="dispatch")
    made = admin.create_access_key(UserName="dispatch")["AccessKey"]
    admin.put_user_policy(UserName="dispatch", PolicyName="buckets", PolicyDocument=POLICY)
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    client("s3", key, secret).create_bucket(Bucket="evidence")
    return Service(url, {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret})


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each of the two, empty."""
    if request.param == "folder":
        return open_storage((tmp_path / "files").as_uri())
    service: Service = request.getfixturevalue("s3")
    return open_storage(f"s3://evidence/{tmp_path.name}?endpoint={service.url}", service.environ)
