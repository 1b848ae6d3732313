"""The expressions of a mapping: JMESPath over one row (column name → text) with a few functions of our own.

| function | gives |
|---|---|
| `strip(x)` | the text without space at both ends |
| `slug(x)` | the text as a code, see `slug` below |
| `words(sep, [a, b …])` | the parts that are not empty, stripped, joined by `sep` |
| `lookup('table', x)` | the value of the code table at the stripped text, else the table's default, else nothing |

Everything JMESPath has is there too: `join('', [a, 'literal', b])` concatenates, `a || b` takes the first that is not
empty. Column names may be Chinese words; those with spaces or signs stand in double quotes: `"opened at"`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jmespath  # type: ignore[import-untyped]  # the package ships no types
from jmespath import exceptions, functions

_TEXT = {"types": ["string", "null"]}
_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|[^\W\d]\w*""")


def slug(text: str) -> str:
    """A text as a code: NFKC, lower case, every run of characters that are neither letters nor digits (of any script)
    becomes one hyphen, none at the ends. `Sign Repair (Internal)` → `sign-repair-internal`; Chinese stays as it is."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "-", plain).strip("-")


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A code table of a mapping (码表): foreign value → ours; `default` for a value it does not know."""

    values: Mapping[str, str]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled expression with the columns and code tables it names."""

    source: str
    columns: frozenset[str]
    tables: frozenset[str]
    evaluate: Callable[[Mapping[str, str]], object]


class _Functions(functions.Functions):  # type: ignore[misc]  # how JMESPath takes functions
    def __init__(self, tables: Mapping[str, CodeTable]) -> None:
        self._tables = tables

    @functions.signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_strip(self, text: str | None) -> str | None:
        return None if text is None else text.strip()

    @functions.signature(_TEXT)  # type: ignore[untyped-decorator]
    def _func_slug(self, text: str | None) -> str | None:
        return None if text is None else slug(text)

    @functions.signature({"types": ["string"]}, {"types": ["array"]})  # type: ignore[untyped-decorator]
    def _func_words(self, separator: str, parts: list[object]) -> str:
        texts = [part.strip() for part in parts if isinstance(part, str)]
        return separator.join(text for text in texts if text)

    @functions.signature({"types": ["string"]}, _TEXT)  # type: ignore[untyped-decorator]
    def _func_lookup(self, table: str, text: str | None) -> str | None:
        known = self._tables[table]
        return known.default if text is None else known.values.get(text.strip(), known.default)


def compile_expression(source: str, tables: Mapping[str, CodeTable]) -> Expression:
    """Compile one expression. Raises ValueError, saying what is wrong, for bad syntax or an unknown code table."""
    try:
        compiled = jmespath.compile(_TOKEN.sub(_quoted, source))
    except exceptions.JMESPathError as error:
        raise ValueError(f"not an expression: {str(error).splitlines()[0]}") from error
    named = frozenset(_tables_named(compiled.parsed))
    unknown = sorted(named - tables.keys())
    if unknown:
        raise ValueError(f"no code table {', '.join(unknown)}")
    columns = frozenset(_columns_named(compiled.parsed))
    if compiled.parsed["type"] == "field":  # most expressions are one column: no interpreter for them
        (column,) = columns
        return Expression(source, columns, named, lambda row: row.get(column))
    options = jmespath.Options(custom_functions=_Functions(tables))

    def evaluate(row: Mapping[str, str]) -> object:
        try:
            return compiled.search(row, options)
        except exceptions.JMESPathError as error:
            raise ValueError(str(error).splitlines()[0]) from error

    return Expression(source, columns, named, evaluate)


def _quoted(token: re.Match[str]) -> str:
    """JMESPath knows bare names in ASCII only; others are put in quotes for it."""
    text = token[0]
    return text if text.isascii() or text[0] in "'\"`" else f'"{text}"'


def _columns_named(node: dict[str, object]) -> list[str]:
    own = [str(node["value"])] if node.get("type") == "field" else []
    return own + [name for child in _children(node) for name in _columns_named(child)]


def _tables_named(node: dict[str, object]) -> list[str]:
    children = _children(node)
    own: list[str] = []
    if node.get("type") == "function_expression" and node.get("value") == "lookup":
        if not children or children[0].get("type") != "literal":
            raise ValueError("lookup takes the name of a code table as its first, literal argument")
        own = [str(children[0]["value"])]
    return own + [name for child in children for name in _tables_named(child)]


def _children(node: dict[str, object]) -> list[dict[str, object]]:
    children = node.get("children", [])
    return [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []
