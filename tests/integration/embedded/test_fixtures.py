"""The ground other tests stand on."""

import asyncpg
import pytest
import redis.asyncio


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_gets_a_database_without_the_tables_of_the_test_before(
    pool: "asyncpg.Pool[asyncpg.Record]", turn: int
) -> None:
    await pool.execute("CREATE TABLE left_behind (turn int)")
    await pool.execute("INSERT INTO left_behind VALUES ($1)", turn)
    assert await pool.fetchval("SELECT array_agg(turn) FROM left_behind") == [turn]


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.incr("turns") == 1, turn
