"""Files of a case, as those who may read the case see them."""

from typing import Any

import msgspec
import structlog

from dispatch.casework.actions import Workplace
from dispatch.casework.record import case_keys
from dispatch.domain.errors import NotFound, Unavailable
from dispatch.files.errors import ContentMissing
from dispatch.files.storage import Storage
from dispatch.insight import cases
from dispatch.people.keyring import aad
from dispatch.people.principal import Principal
from dispatch.store.access import log_access
from dispatch.store.statements import load

SQL = load(__file__, "evidence")
log = structlog.get_logger()


async def files(at: Workplace, by: Principal, case_no: str) -> list[dict[str, Any]]:
    """The files of a case in the order in which they came; none once its key was destroyed. Raises NotFound.

    Of a restricted case no place is shown, as nowhere else.
    """
    row = await cases.find(at, by, case_no)
    key = (await case_keys(at.pool, at.keyring, [row["id"]])).get(row["id"])
    if key is None:
        return []
    found = []
    for each in await at.pool.fetch(SQL.files, row["id"]):
        shown = {
            name: value for name, value in each.items() if name not in ("id", "sha256", "place_nonce", "place_sealed")
        }
        lon = lat = None
        if each["place_sealed"] is not None and not row["restricted"]:
            bound = aad("files", "place", each["id"])
            lon, lat = msgspec.json.decode(key.open(each["place_nonce"], each["place_sealed"], bound))
        found.append({"file_id": str(each["id"]), **shown, "sha256": each["sha256"].hex(), "lon": lon, "lat": lat})
    return found


async def content(at: Workplace, storage: Storage, by: Principal, case_no: str, file_id: int) -> tuple[str, bytes]:
    """The type and the bytes of a file; who looked is logged first. Raises NotFound, StorageAway, Unavailable."""
    row = await cases.find(at, by, case_no)
    file = await at.pool.fetchrow(SQL.file, row["id"], file_id)
    key = (await case_keys(at.pool, at.keyring, [row["id"]])).get(row["id"])
    if file is None or key is None:
        raise NotFound(noun="file", key=str(file_id))
    await log_access(at.pool, await at.clock.now(at.pool), by.name, "file.read", f"{case_no}/{file_id}")
    try:
        sealed = await storage.get(file["storage_key"])
    except ContentMissing:
        # A row is written after its content: somebody took it away.
        log.error("files.content_missing", file=file_id)
        raise Unavailable(part="the content of this file", retry_after=3600) from None
    return file["type"], key.open(file["nonce"], sealed, aad("files", "content", file_id))
