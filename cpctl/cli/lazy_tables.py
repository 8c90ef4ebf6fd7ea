"""References to the tables of other modules, which are loaded only when their names are listed."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import NamedTuple


class LazyTable(NamedTuple):
    """A mapping or sequence in a module of cpctl, as names with descriptions.

    `description` is the field of a row that describes it; "" if the row is a text itself, None for no description.
    `name_field` is the field that holds the name; "" for the key of the row. `suffix` follows every name.
    """

    module: str
    table: str
    description: str | None = ""
    name_field: str = ""
    suffix: str = ""

    def rows(self) -> Iterator[tuple[str, str]]:
        """The names with their descriptions."""
        table = getattr(import_module(f"cpctl.{self.module}"), self.table)
        for key, row in table.items() if isinstance(table, Mapping) else ((key, "") for key in table):
            name = getattr(row, self.name_field) if self.name_field else key
            described = row if self.description == "" else getattr(row, self.description or "", "")
            yield f"{name}{self.suffix}", str(described)


def output_formats() -> Iterator[tuple[str, str]]:
    """The formats of --output."""
    from cpctl.output.formats import FORMATS

    yield from ((name, meaning) for name, (_, meaning) in FORMATS.items())
