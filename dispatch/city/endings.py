"""`endings.csv`: how a matter ends without a unit, and which words suggest that it should (不予受理建议).

| a text                                                                  | suggests                 |
|-------------------------------------------------------------------------|--------------------------|
| has one of `words` among its first characters                           | that ending              |
| speaks there of a price that differs by less than `under_yuan`, and nowhere of more | that ending      |
| … and has one of `unless` anywhere: it is a matter of the city after all | nothing                  |

Only the beginning counts: a long letter names a court in passing, and what it is about it says first. Nothing follows but that
a person is shown it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from dispatch.city.sums import differences

# What a text is about it says in its title and first sentence.
BEGINNING: Final = 60


@dataclass(frozen=True, slots=True)
class Ending:
    """How a matter ends without a unit: `action` is reject (不予受理), refer (转其他渠道) or end (一键结束).

    `basis` is the legal basis, `told` what the citizen is told, `phone` the number of the channel it is referred to. `words`,
    and differences of price below `under_yuan`, suggest it; `unless` are the words that make it a matter of the city.
    """

    code: str
    name: str
    action: Literal["reject", "refer", "end"]
    basis: str = ""
    told: str = ""
    phone: str = ""
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    under_yuan: float | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """What in a text suggests an ending: `said` as it stands there; `word` of the table, or none where it is a difference of price."""

    code: str
    said: str
    word: str | None = None


class Signs:
    """The endings of a city that words suggest, and which of them a text does."""

    def __init__(self, endings: Iterable[Ending]) -> None:
        listed = list(endings)
        self._code_of = {plain(word): each.code for each in listed for word in each.words}
        # Longer words first: of two that begin alike the more telling one is found.
        self._words = _any(sorted(self._code_of, key=len, reverse=True))
        self._unless = {each.code: _any([plain(word) for word in each.unless]) for each in listed}
        self._under = {each.code: each.under_yuan for each in listed if each.under_yuan is not None}
        self._order = {each.code: n for n, each in enumerate(listed)}

    def found(self, text: str) -> tuple[Sign, ...]:
        """What suggests an ending in a normalised text (`intake.read.normalise`), in the order of the table."""
        beginning = text[:BEGINNING]
        signs = [
            Sign(self._code_of[word], word, word)
            for word in dict.fromkeys(self._words.findall(beginning) if self._words else ())
        ]
        if self._under and (small := differences(beginning)):
            most = max(yuan for yuan, _, _ in differences(text))
            said = [beginning[start:end] for _, start, end in small]
            signs += [Sign(code, each, None) for code, under in self._under.items() if most < under for each in said]
        return tuple(sorted((sign for sign in signs if not self._is_ours(sign.code, text)), key=self._place))

    def _is_ours(self, code: str, text: str) -> bool:
        unless = self._unless[code]
        return unless is not None and unless.search(text) is not None

    def _place(self, sign: Sign) -> int:
        return self._order[sign.code]


def plain(word: str) -> str:
    """A word of the table as it stands in a normalised text."""
    return unicodedata.normalize("NFKC", word).casefold()


def _any(words: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, words))) if words else None
