"""Models made of made-up texts and cases, and putting them into a database as `dispatch learn` does."""

from functools import cache

import asyncpg

from dispatch.intake.subjects import Classifier
from dispatch.learning import register
from dispatch.learning.register import Model, hashed, numbered
from dispatch.learning.subjects import fit
from tests.harness.town import START
from tests.unit.learning.test_subjects import texts

# Codes of the demo city for the subjects of the made-up texts.
CODES = {"交通": "E0110", "环保": "E0126", "教育": "S0704"}


def taught(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts with codes of the demo city."""
    found, labels = texts(count, seed)
    return found, [CODES[label] for label in labels]


@cache
def classifier(seed: int = 1) -> Classifier:
    """A model of subjects, learned once a process."""
    return fit(*taught(240, seed), []).classifier


def model(kind: str, body: bytes, rows: int = 3, value: float = 0.9) -> Model:
    """A model as it is registered."""
    seen = [[str(n)] for n in range(rows)]
    return Model(kind, body, numbered(seen), hashed(seen), {"macro-F1": (value, value, value)})


async def put(database_url: str, made: Model) -> str:
    """Puts a model into service; its version."""
    connection = await asyncpg.connect(database_url)
    try:
        serving = await register.serving(connection, made.kind)
        before = serving.version if serving else None
        await register.put(connection, made, replaces=before, serve=True, by="test", now=START)
    finally:
        await connection.close()
    return made.version
