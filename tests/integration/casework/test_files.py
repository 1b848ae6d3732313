"""Files of a case: who may add and see them, what is kept of them, and what is left when something goes wrong."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from PIL import Image

from tests.harness.pictures import MP4, PDF, add, bomb, got, picture
from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.always import examine
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import DISPATCHER, HANDLER, HEAD, OPERATOR, REVIEWER, STRANGER, SUPERVISOR
from tests.integration.casework.test_site_checks import FAR, NEAR, collectors
from tests.integration.casework.walks import brought, opened

HERE = (116.19, 33.13)


def folder(town: Town) -> Path:
    return Path(urlsplit(town.services.settings.files_url or "").path)


def contents(town: Town) -> list[Path]:
    return [path for path in folder(town).glob("*/*") if path.is_file()]


async def listed(town: Town, number: str, who: Any = REVIEWER) -> list[dict[str, Any]]:
    status, page = await town.get(f"/cases/{number}/files", who)
    assert status == 200, page
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_a_picture_keeps_its_place_apart_and_sealed(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    sent = picture(HERE, taken="2026:11:18 09:30:00")
    status, added = await add(a_town, number, HANDLER, sent, "after", X_Lon=100, X_Lat=30)
    assert (status, added["type"], added["kind"], added["round"]) == (201, "jpeg", "after", 1)
    assert (added["placed_by"], added["taken_at"], added["distance_m"]) == ("picture", "2026-11-18T01:30:00Z", 0)
    (shown,) = await listed(a_town, number)
    assert (shown["lon"], shown["lat"]) == pytest.approx(HERE, abs=1e-6)
    assert shown["uploaded_by"] == HANDLER.name
    status, kept, headers = await got(a_town, number, added["file_id"], REVIEWER)
    with Image.open(BytesIO(kept)) as image:
        assert (status, image.size, dict(image.getexif())) == (200, (64, 48), {})
    assert b"Telephone 4711" in sent
    assert b"Telephone 4711" not in kept
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert headers["Content-Disposition"] == f'attachment; filename="{number}-{added["file_id"]}.jpeg"'
    # What lies on the disk and in the table says neither what is shown nor where it was.
    (lying,) = contents(a_town)
    assert kept not in lying.read_bytes()
    assert (await a_town.rows("SELECT * FROM files"))[0]["storage_key"] == f"{lying.parent.name}/{lying.name}"
    (row,) = await a_town.rows("SELECT row_to_json(f)::text AS whole FROM files f")
    assert "116.19" not in row["whole"]
    (looked,) = await a_town.rows("SELECT * FROM access_log WHERE action = 'file.read'")
    assert (looked["actor"], looked["subject"]) == (REVIEWER.name, f"{number}/{added['file_id']}")


async def test_the_record_says_that_it_came_and_nothing_of_what_it_shows(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, added = await add(a_town, number, HANDLER, picture(HERE), "before")
    assert (await events_of(a_town, number))[-1] == "file_added"
    body = await a_town.value("SELECT body FROM case_events WHERE type = 'file_added'")
    event = msgspec.json.decode(body)
    told = {k: event[k] for k in ("file", "kind", "file_type", "bytes", "sha256")}
    assert told == {
        "file": int(added["file_id"]), "kind": "before", "file_type": "jpeg", "bytes": added["bytes"], "sha256": added["sha256"],
    }  # fmt: skip
    assert b"116.1" not in body
    connection = await asyncpg.connect(a_town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def test_the_senders_place_counts_where_a_picture_names_none(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    said: dict[str, Any] = {
        "X_Lon": 116.1956,
        "X_Lat": 33.1288,
        "X_Crs": "gcj02",
        "X_Taken_At": "2026-11-18T09:00:00+08:00",
    }
    _, added = await add(a_town, number, HANDLER, picture(), "after", **said)
    assert (added["placed_by"], added["taken_at"]) == ("sender", "2026-11-18T01:00:00Z")
    assert added["distance_m"] < 100  # half a kilometre, had it been read as it stands
    _, paper = await add(a_town, number, HANDLER, PDF, X_Lon=116.19, X_Lat=33.13)
    assert paper["placed_by"] is None


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"X_Lon": "116.19"}, "X-Lat"),
        ({"X_Lon": "east", "X_Lat": "33"}, "X-Lon"),
        ({"X_Lon": "nan", "X_Lat": "33"}, "X-Lon"),
        ({"X_Lon": "0", "X_Lat": "0"}, "X-Lon"),
        ({"X_Lon": "181", "X_Lat": "33"}, "X-Lon"),
        ({"X_Lon": "116", "X_Lat": "33", "X_Crs": "mars"}, "X-Crs"),
        ({"X_Taken_At": "yesterday"}, "X-Taken-At"),
        ({"X_Taken_At": "2026-11-18T09:00:00"}, "X-Taken-At"),
        ({"X_Taken_At": "2027-11-18T09:00:00+08:00"}, "X-Taken-At"),
    ],
)
async def test_what_cannot_be_true_of_a_file_is_refused_by_name(
    a_town: Town, headers: dict[str, str], field: str
) -> None:
    number = await brought(a_town, "handling")
    status, problem = await add(a_town, number, HANDLER, picture(), "after", **headers)
    assert (status, problem["field"]) == (400, field)


async def test_what_is_too_big_or_something_else_is_refused_and_leaves_nothing(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    refused: list[tuple[bytes, str, int, str]] = [
        (bytes(50_000_000), "after", 413, "too-large"),
        (picture() + bytes(10_485_760), "after", 413, "too-large"),
        (bomb(), "after", 413, "too-large"),
        (b"MZ\x90 photo.jpg", "after", 400, "none of jpeg png webp pdf mp4"),
        (picture()[:400], "after", 400, "not a whole jpeg"),
        (PDF, "after", 400, "a pdf is a document"),
        (b"", "document", 400, "is missing"),
        (picture(), "selfie", 400, "Invalid enum value"),
    ]
    for content, kind, expected, said in refused:
        status, problem = await add(a_town, number, HANDLER, content, kind)
        assert status == expected, problem
        assert said in problem["type"] + problem["detail"], problem
    assert contents(a_town) == []
    assert await a_town.value("SELECT count(*) FROM files") == 0
    film = MP4 + bytes(3_000_000)
    status, added = await add(a_town, number, HANDLER, film, "after")
    assert status == 201
    assert (await got(a_town, number, added["file_id"], HANDLER))[1] == film


async def test_the_same_bytes_twice_are_one_file_even_at_once(a_town: Town) -> None:
    number, other = await brought(a_town, "handling"), await opened(a_town, location={"lon": 116.25, "lat": 33.13})
    answers = await asyncio.gather(*(add(a_town, number, HANDLER, picture(HERE), "before") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert len({added["file_id"] for _, added in answers}) == 1
    status, again = await add(a_town, number, OPERATOR, picture(HERE), "after")
    assert (status, again["kind"]) == (200, "before")
    assert (await add(a_town, other, OPERATOR, picture(HERE), "before"))[0] == 201
    assert len(contents(a_town)) == 2
    assert (await events_of(a_town, number)).count("file_added") == 1


async def test_a_case_takes_so_many_files_and_no_more(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await add(a_town, number, HANDLER, picture()))[0] == 201
    await a_town.rows(
        "INSERT INTO files (id, case_id, round, kind, type, bytes, sha256, storage_key, nonce, uploaded_by, uploaded_at)"
        " SELECT nextval('file_ids'), case_id, 1, kind, type, 1, sha256(n::text::bytea), '00/' || lpad(n::text, 32, '0'), nonce, 't', uploaded_at"
        " FROM files, generate_series(1, 59) AS n"
    )
    status, problem = await add(a_town, number, HANDLER, picture(shade=1))
    assert (status, problem["field"]) == (409, "files")
    assert (await add(a_town, number, HANDLER, picture()))[0] == 200


async def test_only_who_has_something_to_do_with_the_case_adds_to_it(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await add(a_town, number, STRANGER, PDF))[0] == 404
    assert (await add(a_town, number, REVIEWER, PDF))[0] == 403
    assert (await add(a_town, number, principal("auditor", "supervision"), PDF))[0] == 403
    assert (await add(a_town, number, FAR, PDF))[0] == 404
    assert (await add(a_town, "2026-0", HANDLER, PDF))[0] == 404
    for shade, who in enumerate((HANDLER, HEAD, OPERATOR, DISPATCHER)):
        assert (await add(a_town, number, who, picture(shade=30 * shade)))[0] == 201, who
    returned = await brought(a_town, "returned", location={"lon": 116.25, "lat": 33.13})
    assert (await add(a_town, returned, HANDLER, PDF))[0] == 409
    closed = await brought(a_town, "closed", location={"lon": 116.24, "lat": 33.14})
    assert (await add(a_town, closed, HANDLER, PDF))[0] == 201


async def test_a_collector_adds_to_a_case_they_are_sent_to(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "verifying")
    (visit,) = (await a_town.get("/checks", NEAR))[1]["items"]
    assert (await add(a_town, number, FAR, picture()))[0] == 404
    status, added = await add(a_town, number, NEAR, picture(HERE), "before")
    assert status == 201
    assert [each["check"] for each in await listed(a_town, number)] == [visit["id"]]
    told = {"result": "found", "evidence": [added["file_id"]]}
    url, headers = f"{a_town.url}/api/v1/checks/{visit['id']}/result", a_town.acts_as(NEAR)
    for evidence, status in ((["a.jpg"], 400), (["999"], 400), (told["evidence"], 200)):
        async with a_town.http.post(url, json=told | {"evidence": evidence}, headers=headers) as answer:
            assert answer.status == status
    # The visit is made: there is nothing more to add.
    assert (await add(a_town, number, NEAR, picture(shade=1)))[0] == 404
    _, case = await a_town.get(f"/cases/{number}", DISPATCHER)
    assert [(each["kind"], each["result"], each["evidence"]) for each in case["checks"]] == [
        ("verify", "found", [added["file_id"]])
    ]


async def test_who_may_not_see_the_case_sees_none_of_its_files(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, added = await add(a_town, number, HANDLER, picture(HERE), "after")
    other = await opened(a_town, location={"lon": 116.25, "lat": 33.13})
    assert (await got(a_town, number, added["file_id"], STRANGER))[0] == 404
    assert (await a_town.get(f"/cases/{number}/files", STRANGER))[0] == 404
    assert (await got(a_town, other, added["file_id"], DISPATCHER))[0] == 404
    for nonsense in ("x", "9" * 30, "²"):
        assert (await got(a_town, number, nonsense, DISPATCHER))[0] == 404
    assert (await got(a_town, number, added["file_id"], NEAR))[0] == 403
    # A restricted one: named readers and the head of its lead, and no place.
    await a_town.rows("UPDATE cases SET restricted = true WHERE case_no = $1", number)
    assert (await got(a_town, number, added["file_id"], HANDLER))[0] == 404
    assert (await add(a_town, number, HANDLER, PDF))[0] == 404
    assert (await got(a_town, number, added["file_id"], DISPATCHER))[0] == 404
    assert (await got(a_town, number, added["file_id"], HEAD))[0] == 200
    assert [(each["lon"], each["lat"]) for each in await listed(a_town, number, HEAD)] == [(None, None)]
    # The unit that is complained about and all below it: nothing at all, whatever it is to do with the case.
    await a_town.rows("UPDATE cases SET restricted = false, about_unit = 'drainage' WHERE case_no = $1", number)
    for who in (HANDLER, HEAD):
        assert (await got(a_town, number, added["file_id"], who))[0] == 404
        assert (await a_town.get(f"/cases/{number}/files", who))[0] == 404
        assert (await add(a_town, number, who, PDF))[0] == 404


async def test_an_erased_case_has_no_files_any_more(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, added = await add(a_town, number, HANDLER, picture(HERE), "after")
    assert (await a_town.act(number, "expunge", OPERATOR, note="误录涉密内容"))[0] == 200
    assert (await got(a_town, number, added["file_id"], SUPERVISOR))[0] == 404
    assert await listed(a_town, number, SUPERVISOR) == []
    assert (await add(a_town, number, OPERATOR, PDF))[1]["field"] == "case_no"
    # What still lies there is noise: its key is gone, and so is that of its place.
    assert len(contents(a_town)) == 1
    assert await a_town.value("SELECT count(*) FROM case_keys") == 0


async def test_evidence_of_an_action_is_files_of_its_case(a_town: Town) -> None:
    number, other = await brought(a_town, "handling"), await opened(a_town, location={"lon": 116.25, "lat": 33.13})
    _, added = await add(a_town, number, HANDLER, PDF)
    _, foreign = await add(a_town, other, OPERATOR, PDF)
    for evidence in ("a.jpg", foreign["file_id"], "-1", "", "９"):
        status, problem = await a_town.act(number, "reply", HANDLER, **REPLY, evidence=[added["file_id"], evidence])
        assert (status, problem["field"]) == (400, "evidence"), evidence
    assert (await a_town.act(number, "reply", HANDLER, **REPLY, evidence=[added["file_id"]]))[0] == 200


async def test_the_schema_refuses_what_is_no_file(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await add(a_town, number, HANDLER, picture(HERE), "after"))[0] == 201
    for wrong in (
        "type = 'pdf'", "kind = 'selfie'", "bytes = 0", "sha256 = '\\x00'", "storage_key = '../etc'", "place_sealed = NULL",
        "placed_by = NULL, place_nonce = NULL, place_sealed = NULL",
    ):  # fmt: skip
        with pytest.raises(asyncpg.CheckViolationError):
            await a_town.rows(f"UPDATE files SET {wrong}")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await a_town.rows("UPDATE files SET assignment_id = 99999999")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await a_town.services.pool.execute("UPDATE files SET bytes = 1")
