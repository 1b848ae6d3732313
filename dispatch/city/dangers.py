"""`dangers.csv`: words that start the fixed procedure (险情), whoever says them.

Words are looked for as they stand, anywhere in what was said: recall goes before precision, and a person reads what was found.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dispatch.city.categories import Urgency


@dataclass(frozen=True, slots=True)
class Danger:
    """Words (any of `words`) that start the fixed procedure, and what they make of the matter."""

    code: str
    name: str
    words: tuple[str, ...]
    urgency: Urgency
    restricted: bool = False
    safety: bool = True


class Dangers:
    """The dangers of a city by code, and which of them a text names."""

    def __init__(self, dangers: Iterable[Danger]) -> None:
        self.by_code: Mapping[str, Danger] = MappingProxyType({each.code: each for each in dangers})
        self._code_of = {word.casefold(): each.code for each in self.by_code.values() for word in each.words}
        # Longer words first: of two that begin alike the more telling one is found.
        words = sorted(self._code_of, key=len, reverse=True)
        self._words = re.compile("|".join(map(re.escape, words))) if words else None

    def found(self, plain: str) -> tuple[str, ...]:
        """The codes of the dangers in a normalised text (`intake.read.normalise`), in the order of the table."""
        if self._words is None:
            return ()
        codes = {self._code_of[word] for word in self._words.findall(plain)}
        return tuple(code for code in self.by_code if code in codes)
