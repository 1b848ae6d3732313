"""Both storages do the same; the one in a bucket talks to an S3 service that checks signatures by an implementation of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatch.files.errors import BadStorage, ContentMissing, StorageAway
from dispatch.files.storage import Storage, new_key, open_storage

from .conftest import Service


async def test_what_was_put_is_got_until_it_is_deleted(storage: Storage) -> None:
    key, other = new_key(), new_key()
    await storage.put(key, b"\x00first" * 1000)
    await storage.put(other, b"")
    assert await storage.get(key) == b"\x00first" * 1000
    await storage.put(key, b"second")
    assert (await storage.get(key), await storage.get(other)) == (b"second", b"")
    await storage.delete(key)
    await storage.delete(key)
    with pytest.raises(ContentMissing):
        await storage.get(key)
    assert await storage.get(other) == b""


async def test_every_key_is_listed_with_the_time_it_was_written(storage: Storage) -> None:
    keys = {new_key() for _ in range(5)}
    before = datetime.now(UTC) - timedelta(seconds=2)
    for key in keys:
        await storage.put(key, b"x")
    found = {key: at async for key, at in storage.kept()}
    assert found.keys() == keys
    assert all(before <= at <= datetime.now(UTC) + timedelta(seconds=2) for at in found.values())


async def test_nothing_kept_yet_is_an_empty_list(storage: Storage) -> None:
    assert [each async for each in storage.kept()] == []


async def test_wrong_keys_are_told_as_a_storage_that_is_away(s3: Service) -> None:
    wrong = {**s3.environ, "AWS_SECRET_ACCESS_KEY": "wrong"}
    with pytest.raises(StorageAway):
        await open_storage(f"s3://evidence/x?endpoint={s3.url}", wrong).put(new_key(), b"x")


async def test_a_bucket_that_nobody_answers_for_is_away(s3: Service) -> None:
    silent = open_storage("s3://evidence/x?endpoint=http://127.0.0.1:9", s3.environ)
    with pytest.raises(StorageAway):
        await silent.get(new_key())


async def test_a_folder_is_the_services_own_and_a_write_that_was_cut_off_is_seen(tmp_path: Path) -> None:
    root = tmp_path / "data" / "files"
    folder, key = open_storage(root.as_uri()), new_key()
    await folder.put(key, b"whole")
    assert [oct(path.stat().st_mode & 0o777) for path in (root, root / key[:2], root / key)] == [
        "0o700",
        "0o700",
        "0o600",
    ]
    cut_off = root / f"{key}.0123abcd.part"
    cut_off.write_bytes(b"half")
    assert await folder.get(key) == b"whole"
    assert {each async for each, _ in folder.kept()} == {key, f"{key}.0123abcd.part"}
    await folder.delete(f"{key}.0123abcd.part")
    assert not cut_off.exists()


@pytest.mark.parametrize("key", ["../../etc/passwd", "ab/../../x", "ab/short", "", "/etc/passwd"])
async def test_a_folder_gives_out_nothing_but_files(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await open_storage(tmp_path.as_uri()).get(key)


async def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("not a folder")
    with pytest.raises(StorageAway):
        await open_storage((tmp_path / "files").as_uri()).put(new_key(), b"x")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/folder", "file://host/folder", "file:///", "s3://", "s3://key:secret@bucket/x", "s3://bucket?acl=public",
        "s3://bucket?endpoint=localhost", "/var/files",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadStorage):
        open_storage(url, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})


def test_keys_of_a_bucket_come_from_the_environment() -> None:
    with pytest.raises(BadStorage, match="AWS_SECRET_ACCESS_KEY must be set"):
        open_storage("s3://bucket", {"AWS_ACCESS_KEY_ID": "a"})
