"""A model of subjects in a running service: applied above its threshold, suggested below it, swapped without a restart."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from dispatch.intake.subjects import Trust
from tests.harness.town import Town, principal, report
from tests.integration.intake.conftest import Switch, switch  # noqa: F401
from tests.integration.learning.models import classifier, model, put

SUPERVISOR = principal("supervisor", "supervision")
OPERATOR, DISPATCHER = principal("operator", "hotline"), principal("dispatcher", "dispatch")
SMOKE = "小区附近油烟很大，噪音扰民，臭气和污水没人管"


async def sent(town: Town, **fields: Any) -> dict[str, Any]:
    status, answer = await town.send(report(category=None, **fields))
    assert status == 201, answer
    return answer


async def explained(town: Town, case_no: str) -> dict[str, Any]:
    status, answer = await town.get(f"/cases/{case_no}/explain", SUPERVISOR)
    assert status == 200
    found: dict[str, Any] = answer["reports"][-1]
    return found


async def test_a_model_put_into_service_classifies_the_next_report_without_a_restart(a_town: Town) -> None:
    before = await sent(a_town, text=SMOKE)
    assert (before.get("category"), before["outcome"]) == (None, "triage")
    version = await put(a_town.database_url, model("subjects", classifier().packed()))
    assert (await sent(a_town, text=SMOKE)).get("category") is None
    assert await a_town.services.models.refresh(a_town.services.pool)
    answer = await sent(a_town, text=SMOKE, location={"lon": 116.2, "lat": 33.15})
    assert (answer["category"], answer["outcome"], answer["lead_unit"]) == ("E0126", "opened", "ecology")
    why = await explained(a_town, answer["case_no"])
    assert (why["classify"]["by"], why["classify"]["applied"]) == ("learned", "E0126")
    assert why["classify"]["version"] == why["models"]["subjects"] == version
    code, sure = why["classify"]["suggestions"][0]
    assert code == "E0126"
    assert sure >= why["classify"]["threshold"]
    assert not await a_town.services.models.refresh(a_town.services.pool)


@pytest.mark.parametrize(("steps", "threshold"), [(([0.2], [0.9]), None), (([0.99999], [0.98]), 0.99999)])
async def test_a_model_that_is_not_sure_enough_only_suggests(
    a_town: Town, steps: tuple[list[float], list[float]], threshold: float | None
) -> None:
    unsure = replace(classifier(), trust=Trust(*steps))
    await put(a_town.database_url, model("subjects", unsure.packed()))
    await a_town.services.models.refresh(a_town.services.pool)
    answer = await sent(a_town, text=SMOKE)
    assert (answer.get("category"), answer["outcome"]) == (None, "triage")
    said = (await explained(a_town, answer["case_no"]))["classify"]
    assert (said["by"], said["applied"], said["threshold"]) == ("nobody", None, threshold)
    assert said["suggestions"][0][0] == "E0126"
    assert [sure for _, sure in said["suggestions"]] == sorted((sure for _, sure in said["suggestions"]), reverse=True)
    status, proposed = await a_town.get(f"/cases/{answer['case_no']}/proposal", DISPATCHER)
    assert (status, proposed["lead"]) == (200, None)
    first = proposed["categories"][0]
    assert (first["category"], first["lead"], first["rule"]) == ("E0126", "ecology", "R014")
    assert [[each["category"], each["confidence"]] for each in proposed["categories"]] == said["suggestions"]
    headers = a_town.acts_as(OPERATOR)
    shown = report(category=None, text=SMOKE)
    async with a_town.http.post(f"{a_town.url}/api/v1/preview", json=shown, headers=headers) as preview:
        assert (await preview.json())["suggestions"][0][0] == "E0126"


async def test_a_city_that_asks_for_less_gets_it_applied(a_town: Town, switch: Switch) -> None:  # noqa: F811
    unsure = replace(classifier(), trust=Trust([0.2], [0.9]))
    await put(a_town.database_url, model("subjects", unsure.packed()))
    await a_town.services.models.refresh(a_town.services.pool)
    switch(classify_right=0.85)
    assert (await sent(a_town, text=SMOKE))["category"] == "E0126"


async def test_a_given_code_is_never_overruled_and_switched_off_nothing_is_said(
    a_town: Town,
    switch: Switch,  # noqa: F811
) -> None:
    await put(a_town.database_url, model("subjects", classifier().packed()))
    await a_town.services.models.refresh(a_town.services.pool)
    status, answer = await a_town.send(report(text=SMOKE))
    assert (status, answer["category"]) == (201, "E0506")
    assert (await explained(a_town, answer["case_no"]))["classify"]["by"] == "given"
    switch(classify=False)
    answer = await sent(a_town, text=SMOKE)
    said = (await explained(a_town, answer["case_no"]))["classify"]
    assert (said["applied"], said["by"], said["suggestions"]) == (None, "nobody", [])


async def test_labels_that_are_no_codes_of_this_city_are_neither_applied_nor_suggested(a_town: Town) -> None:
    foreign = replace(classifier(), subjects=["X1", "X2", "X3"])
    await put(a_town.database_url, model("subjects", foreign.packed()))
    await a_town.services.models.refresh(a_town.services.pool)
    answer = await sent(a_town, text=SMOKE)
    said = (await explained(a_town, answer["case_no"]))["classify"]
    assert (answer.get("category"), said["applied"], said["suggestions"]) == (None, None, [])


async def test_bytes_that_are_no_model_leave_the_one_before_in_service(a_town: Town) -> None:
    models, pool = a_town.services.models, a_town.services.pool
    first = await put(a_town.database_url, model("subjects", classifier().packed()))
    await models.refresh(pool)
    await put(a_town.database_url, model("subjects", b"not a model"))
    assert not await models.refresh(pool)
    assert models.current.versions == {"subjects": first}
    assert (await sent(a_town, text=SMOKE))["category"] == "E0126"
    assert await put(a_town.database_url, model("subjects", classifier(2).packed())) != first
    assert await models.refresh(pool)
    assert models.current.versions != {"subjects": first}


async def test_the_service_reads_models_and_writes_none(a_town: Town) -> None:
    await put(a_town.database_url, model("subjects", classifier().packed()))
    for statement in ("DELETE FROM model_services", "UPDATE models SET rows = 1", "DELETE FROM models"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await a_town.services.pool.execute(statement)


async def test_one_model_of_a_kind_serves_and_who_put_it_there_stays_on_record(a_town: Town) -> None:
    for seed in (1, 2):
        await put(a_town.database_url, model("subjects", classifier(seed).packed()))
    rows = await a_town.rows("SELECT until IS NULL AS serves, put_by, ended_by FROM model_services ORDER BY id")
    assert [tuple(row) for row in rows] == [(False, "test", "test"), (True, "test", None)]
    with pytest.raises(asyncpg.UniqueViolationError):
        await a_town.value(
            "INSERT INTO model_services (model_id, kind, since, put_by) SELECT id, kind, now(), 'x' FROM models LIMIT 1"
        )
