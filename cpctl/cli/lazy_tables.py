"""References to the tables of other modules, which are loaded only when their names are listed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module

Rows = Iterable[tuple[str, str]]


def lazy_table(
    module: str, table: str, description: str | None = "", name_field: str = "", suffix: str = ""
) -> Callable[[], Rows]:
    """A function that returns the names in a mapping or sequence of a module of cpctl, with descriptions.

    `description` is the field of a row that describes it; "" if the row is a text itself, None for no description.
    `name_field` is the field that holds the name; "" for the key of the row. `suffix` follows every name.
    """

    def rows() -> Iterator[tuple[str, str]]:
        found = getattr(import_module(f"cpctl.{module}"), table)
        for key, row in found.items() if isinstance(found, Mapping) else ((key, "") for key in found):
            name = getattr(row, name_field) if name_field else key
            yield f"{name}{suffix}", str(row if description == "" else getattr(row, description or "", ""))

    return rows


def output_formats() -> Rows:
    from cpctl.output.formats import FORMATS

    return ((name, meaning) for name, (_, meaning) in FORMATS.items())
