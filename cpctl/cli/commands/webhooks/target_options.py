"""Options that choose the targets of events, and the targets they make."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from cpctl.config.keys import KEY_VARIABLES, OLD_WEBHOOKS_SERVICE
from cpctl.errors import InvalidInput
from cpctl.net import is_loopback
from cpctl.signals.signal import quote_value

if TYPE_CHECKING:
    from cpctl.webhooks.events.targets import Target

# A delivery must end before its lease of two minutes does.
_MAX_DELIVERY_SECONDS = 100.0
# Variables that are not passed on to commands: they are meant for this process only, or hold a key.
_SYSTEMD_VARIABLES = (
    *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
    *("LISTEN_FDS", "LISTEN_PID", "CREDENTIALS_DIRECTORY"),
)
_WEBHOOK_KEY_VARIABLES = tuple(
    f"{KEY_VARIABLES[name]}{end}" for name in ("webhooks", OLD_WEBHOOKS_SERVICE) for end in ("", "_FILE")
)


class DeliveryOptions(NamedTuple):
    """Which events to accept, and where to deliver them."""

    forward_to: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Post each event to this URL; repeatable.")
    ] = None
    exec_commands: Annotated[
        list[str] | None,
        typer.Option("--exec", metavar="COMMAND", help="Run this for each event, as JSON on stdin; repeatable."),
    ] = None
    delivery_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            max=_MAX_DELIVERY_SECONDS,
            help="Time limit for one delivery; default 10 for a URL, 60 for a command.",
        ),
    ] = None
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Forward with the webhook key in the body, as it was received.")
    ] = False
    known_orders: Annotated[
        bool, typer.Option("--known-orders", help="Answer 204 for orders that this store does not know.")
    ] = False


def make_targets(options: DeliveryOptions, read_key: Callable[[], str], accepted_keys: Sequence[str]) -> "list[Target]":
    from cpctl.webhooks.events.targets import CommandTarget, ForwardTarget

    urls, commands = options.forward_to or (), options.exec_commands or ()
    if any(key in text for text in (*urls, *commands) for key in accepted_keys):
        raise InvalidInput(
            "A target contains the webhook key; the names of targets are shown and logged.",
            "Remove the key; --with-key forwards it in the body.",
        )
    if options.with_key and not urls:
        raise InvalidInput("--with-key needs --forward-to.", "Add --forward-to URL.")
    environment, seconds = _child_environment(accepted_keys), options.delivery_seconds
    key = read_key if options.with_key else None
    targets: list[Target] = [
        *(ForwardTarget(check_target_url(url), key, seconds or 10.0) for url in urls),
        *(CommandTarget(_split_command(text), environment, text, seconds or 60.0) for text in commands),
    ]
    names = [target.name for target in targets]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{duplicate} is given twice.", "Each target receives every event once.")
    return targets


def check_target_url(url: str) -> str:
    """Return a URL that events may be posted to: https, or http on this machine. Raises InvalidInput."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = url.isascii() and url.isprintable() and " " not in url
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not (host and is_plain and is_safe) or "@" in parts.netloc:
        shown = quote_value(url) if "@" not in url else "The URL"  # the part before an @ may be a password
        raise InvalidInput(
            f"{shown} cannot receive events.", "Use https:// (or http:// on this machine), without user and password."
        )
    return url


def _split_command(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidInput(f"--exec {command}: {error}.", "Quote it as for a shell; none is used to run it.") from error
    if not words or shutil.which(words[0]) is None:
        raise InvalidInput(
            f'--exec "{command}": program not found, or not executable.',
            "Give the path of the program; to run a shell command: --exec 'sh -c \"…\"'.",
        )
    return words


def _child_environment(keys: Iterable[str]) -> Mapping[str, str]:
    """The environment of a command: without systemd's variables, and without any that contains a webhook key."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in (*_SYSTEMD_VARIABLES, *_WEBHOOK_KEY_VARIABLES) and not any(key in value for key in keys)
    }
