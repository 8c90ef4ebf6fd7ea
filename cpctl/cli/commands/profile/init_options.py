"""The options of `profile init`."""

from typing import Annotated, NamedTuple

import typer

KeyFile = Annotated[str | None, typer.Option(metavar="FILE", help="File that holds this key, readable only by you.")]
KeyCommand = Annotated[
    str | None, typer.Option(metavar="COMMAND", help="Command whose first line of output is this key.")
]


class InitOptions(NamedTuple):
    """The options as typed. The names of key options begin with their service: `init` reads them by name."""

    environment: Annotated[str | None, typer.Option(metavar="LABEL", help="live or sandbox: a label for people.")] = (
        None
    )
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Address of the service, if not the usual.")] = (
        None
    )
    core_key_file: KeyFile = None
    core_key_command: KeyCommand = None
    signal_key_file: KeyFile = None
    signal_key_command: KeyCommand = None
    webhooks_key_file: KeyFile = None
    webhooks_key_command: KeyCommand = None
    later: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE", help="Leave out this key: it comes from the environment, or later; repeatable."
        ),
    ] = None
    shipping_option: Annotated[
        str | None, typer.Option(metavar="NAME", help="Shipping option of parcels, such as GLS.")
    ] = None
    signal_version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Version of CloudSignal: 2.0 or 1.1.")
    ] = None
    default: Annotated[bool, typer.Option("--default", help="Make the new profile the default.")] = False
    force: Annotated[bool, typer.Option("--force", help="Replace an existing profile of this name.")] = False
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not try the core key with a read-only call.")] = False
