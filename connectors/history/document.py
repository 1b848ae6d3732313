"""A mapping file as it was read, and the faults found in it so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError
from connectors.history.expressions import CodeTable, Expression, compile_expression


@dataclass(frozen=True, slots=True)
class MappingFault:
    """One thing wrong in a mapping file: the TOML table, the key in it, the problem."""

    table: str
    key: str
    problem: str

    def __str__(self) -> str:
        return f"[{self.table}] {self.key}: {self.problem}"


class MappingFaults(ConnectorError):
    """{source} is not a usable mapping: {listed}"""

    def __init__(self, source: str, faults: tuple[MappingFault, ...]) -> None:
        super().__init__(source, faults)
        self.source = source
        self.faults = faults
        self.listed = "; ".join(str(fault) for fault in faults)


class Document:
    """The document with the list its faults go to."""

    def __init__(self, document: Mapping[str, Any], faults: list[MappingFault]) -> None:
        self._document = document
        self._faults = faults

    def fault(self, table: str, key: str, problem: str) -> None:
        self._faults.append(MappingFault(table, key, problem))

    def get(self, *names: str, keys: tuple[str, ...] | None = None) -> Mapping[str, Any] | None:
        """A table by its path, None where absent or no table; unknown keys are faults."""
        found: Any = self._document
        for name in names:
            found = found.get(name)
            if found is None:
                return None
            if not isinstance(found, dict):
                self.fault(".".join(names), "", "not a table")
                return None
        for key in found:
            if keys is not None and key not in keys:
                self.fault(".".join(names), key, "no such key")
        return dict(found)

    def text(self, table: Mapping[str, Any], name: str, key: str, default: str | None = None) -> str:
        """A text of a table; a missing one without a default and any other type are faults, and read as nothing."""
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        self.fault(name, key, "missing" if value is None else "not a text")
        return ""

    def expression(
        self, table: str, key: str, source: object, code_tables: Mapping[str, CodeTable]
    ) -> Expression | None:
        """A compiled expression, tried on an empty row so that an unknown function shows now."""
        if not isinstance(source, str):
            self.fault(table, key, "an expression is a text")
            return None
        try:
            expression = compile_expression(source, code_tables)
            expression.evaluate(dict.fromkeys(expression.columns, ""))
        except ValueError as error:
            self.fault(table, key, str(error))
            return None
        return expression
