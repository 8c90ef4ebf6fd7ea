"""The options of `profile init`."""

from typing import Annotated, NamedTuple

import typer


def _key_file_option(service: str) -> typer.models.OptionInfo:
    return _key_option("key-file", service, "FILE", f"File that holds the {service} key, and that others cannot read.")


def _key_command_option(service: str) -> typer.models.OptionInfo:
    return _key_option("key-command", service, "COMMAND", f"Command whose first line of output is the {service} key.")


def _key_option(kind: str, service: str, metavar: str, help: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(f"--{service}-{kind}", metavar=metavar, help=help)
    return found


class InitOptions(NamedTuple):
    """What may be said beforehand; the field names of keys begin with their service."""

    environment: Annotated[str | None, typer.Option(metavar="LABEL", help="live or sandbox: a label for people.")] = (
        None
    )
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Where the service is, if elsewhere.")] = None
    core_key_file: Annotated[str | None, _key_file_option("core")] = None
    core_key_command: Annotated[str | None, _key_command_option("core")] = None
    signal_key_file: Annotated[str | None, _key_file_option("signal")] = None
    signal_key_command: Annotated[str | None, _key_command_option("signal")] = None
    webhooks_key_file: Annotated[str | None, _key_file_option("webhooks")] = None
    webhooks_key_command: Annotated[str | None, _key_command_option("webhooks")] = None
    later: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE", help="This key comes from the environment, or later; repeatable."),
    ] = None
    shipping_option: Annotated[
        str | None, typer.Option(metavar="NAME", help="Shipping option of parcels, such as GLS.")
    ] = None
    signal_version: Annotated[str | None, typer.Option(metavar="VERSION", help="CloudSignal 2.0 or 1.1.")] = None
    default: Annotated[bool, typer.Option("--default", help="Make it the default, though there are others.")] = False
    force: Annotated[bool, typer.Option("--force", help="Replace a profile of that name.")] = False
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not try the core key with a call that reads.")] = (
        False
    )
