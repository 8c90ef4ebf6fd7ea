"""`cpctl whoami`: where calls go, and the source of every setting."""

from collections.abc import Mapping
from typing import Any

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.config.keys import SERVICES
from cpctl.config.profiles import Profile
from cpctl.errors import ConfigError, ExitCode
from cpctl.outbox.models import State
from cpctl.outbox.queries import read_queue_depth
from cpctl.output.columns import SETTING
from cpctl.output.views import TableView

commands = Commands()


@commands.add("whoami", "cpctl whoami -o json --query environment")
def show_whoami(context: Context) -> None:
    """Show where calls go, and the source of every setting."""
    profile = context.profile
    depth = read_queue_depth(context.store, profile.name)
    keys = {service: describe_key(context, service) for service in SERVICES}
    for warning in find_same_key_warnings(profile):
        context.output.warn(warning)
    is_broken = any("problem" in key for key in keys.values())
    context.show(
        {
            "profile": profile.name,
            "profile_source": profile.name_source,
            "environment": profile["environment"],
            "base_url": profile["base_url"],
            "config": str(profile.file) if profile.file else None,
            "keys": keys,
            "settings": {name: {"value": row.text, "source": row.source} for name, row in profile.settings.items()},
            "outbox": {
                "waiting": depth.waiting_count,
                "refused": depth.counts.get(State.REFUSED, 0),
                "paused": depth.is_paused,
            },
        },
        TableView(SETTING, _setting_rows),
        ExitCode.CONFIG if is_broken else ExitCode.DONE,
    )


def _setting_rows(data: dict[str, Any]) -> list[Mapping[str, Any]]:
    profile = {"setting": "profile", "value": data["profile"], "source": data["profile_source"]}
    config = {"setting": "config", "value": data["config"]}
    depth = [{"setting": f"outbox {name}", "value": value} for name, value in data["outbox"].items()]
    return [profile, config, *setting_rows(data["settings"]), *key_rows(data["keys"]), *depth]


def key_rows(keys: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each key: its last characters or the problem with it, and its source."""
    return [
        {"setting": f"{service} key", "value": facts["key"] or facts.get("problem"), "source": facts["source"]}
        for service, facts in keys.items()
    ]


def setting_rows(settings: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """A row for each setting, from its value and source."""
    return [{"setting": name, **value} for name, value in settings.items()]


def describe_key(context: Context, service: str) -> dict[str, Any]:
    """The last characters of a key and its source, or the problem with it."""
    source = context.profile.keys.get(service)
    if source is None:
        return {"key": None, "source": None}
    try:
        return {"key": context.read_key(service).last_four, "source": source.describe()}
    except ConfigError as error:
        return {"key": None, "source": source.describe(), "problem": error.message}


def find_same_key_warnings(profile: Profile) -> list[str]:
    """A warning if core and signal have the same key: Cloudprinter gives each its own."""
    known = [profile.keys.get(service) for service in ("core", "signal")]
    try:
        values = [source.read().value for source in known if source is not None and source.kind != "command"]
    except ConfigError:
        return []  # reported with the key itself
    if len(values) == 2 and values[0] == values[1]:
        return ["core and signal have the same key; Cloudprinter gives each its own."]
    return []
