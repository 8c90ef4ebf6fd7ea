"""Keys and settings of a profile as `whoami` and `profile show` present them."""

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]


def key_rows(keys: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """A row for each key: its last characters or the problem with it, and its source."""
    return [
        {"setting": f"{service} key", "value": facts["key"] or facts.get("problem"), "source": facts["source"]}
        for service, facts in keys.items()
    ]


def setting_rows(settings: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """A row for each setting, from its value and source."""
    return [{"setting": name, **value} for name, value in settings.items()]
