"""Whether what is being typed names the place of the case it is taken for (地址比对): the address of one beside that of the other."""

from typing import Any

import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.record import case_keys
from dispatch.domain.reports import AddressView
from dispatch.intake.addresses import shipped
from dispatch.intake.candidates import Prepared
from dispatch.intake.match import Match
from dispatch.people.keyring import aad
from dispatch.store.statements import load

SQL = load(__file__, "addresses")


async def compared(at: Workplace, item: Prepared, found: Match) -> AddressView | None:
    """How the address of a report and that of the case it was matched with compare; None where one of the two has none.

    Neither address is shown: whoever previews need not be somebody who may read that case.
    """
    location, case = item.reading.report.location, found.candidate
    said = location.address if location else None
    before = await _address(at, case.id) if said and case is not None else None
    if not said or before is None:
        return None
    models = at.models.current
    model = models.addresses or shipped()
    verdict, score = model.judge(model.sketch(said), model.sketch(before))
    return AddressView(verdict, round(score, 3), models.versions.get("addresses", "shipped"))


async def _address(at: Workplace, case_id: int) -> str | None:
    """The first address that was said of a case; None where there is none, or its words were erased."""
    key = (await case_keys(at.pool, at.keyring, [case_id])).get(case_id)
    for row in await at.pool.fetch(SQL.words, case_id) if key is not None else ():
        assert key is not None
        document: dict[str, Any] = msgspec.json.decode(
            key.open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"]))
        )
        if address := document.get("address"):
            return str(address)
    return None
