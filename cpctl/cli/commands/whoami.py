"""`cpctl whoami`: where calls would go, and from where each value comes."""

from collections.abc import Mapping
from typing import Any

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.profile_rows import key_rows, setting_rows
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
    """Show where calls would go, and from where each value comes."""
    profile = context.profile
    counted = read_queue_depth(context.store, profile.name)
    keys = {service: describe_key(context, service) for service in SERVICES}
    for text in find_same_key_warnings(profile):
        context.output.warn(text)
    broken = any("problem" in facts for facts in keys.values())
    context.show(
        {
            "profile": profile.name,
            "profile_source": profile.name_source,
            "environment": profile["environment"],
            "base_url": profile["base_url"],
            "config": str(profile.file) if profile.file else None,
            "keys": keys,
            "settings": {name: {"value": each.text, "source": each.source} for name, each in profile.settings.items()},
            "outbox": {
                "waiting": counted.waiting_count,
                "refused": counted.counts.get(State.REFUSED, 0),
                "paused": counted.is_paused,
            },
        },
        TableView(SETTING, _setting_rows),
        ExitCode.CONFIG if broken else ExitCode.DONE,
    )


def _setting_rows(who: dict[str, Any]) -> list[Mapping[str, Any]]:
    """The same for people: a line per value, with its source."""
    depth = [{"setting": f"outbox {name}", "value": value} for name, value in who["outbox"].items()]
    profile = {"setting": "profile", "value": who["profile"], "source": who["profile_source"]}
    return [
        profile,
        {"setting": "config", "value": who["config"]},
        *setting_rows(who["settings"]),
        *key_rows(who["keys"]),
        *depth,
    ]


def describe_key(context: Context, service: str) -> dict[str, Any]:
    """The end of a key and its source, or why it cannot be had."""
    source = context.profile.keys.get(service)
    if source is None:
        return {"key": None, "source": None}
    try:
        return {"key": context.read_key(service).last_four, "source": source.describe()}
    except ConfigError as error:
        return {"key": None, "source": source.describe(), "problem": error.message}


def find_same_key_warnings(profile: Profile) -> list[str]:
    """The documents say that the keys of core and signal differ; the same one twice is a mistake."""
    known = [profile.keys.get(service) for service in ("core", "signal")]
    try:
        values = [source.read().value for source in known if source is not None and source.kind != "command"]
    except ConfigError:
        return []  # told where the key is shown
    if len(values) == 2 and values[0] == values[1]:
        return ["core and signal have the same key; the service gives each its own."]
    return []
