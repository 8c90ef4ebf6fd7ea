"""Topics about cpctl on a machine: exit status, environment, output, keys, configuration."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph

EXAMPLE_CONFIG = """\
default_profile: production
profiles:
  production:
    environment: live
    core: {api_key_file: core.key}
    signal: {api_key_command: [pass, show, cpctl/signal]}
    webhooks: {api_key_file: webhooks.key}
    shipping_option: GLS"""


def exit_codes() -> Iterator[Block]:
    """What each exit status means (interface: every number is a promise to scripts)."""
    from cpctl.errors import EXIT_CODE_MEANINGS

    yield Paragraph("The exit status says what became of a command. The numbers do not change.")
    yield DefinitionList([(str(int(code)), meaning) for code, meaning in EXIT_CODE_MEANINGS.items()])
    yield Paragraph(
        "For a signal, 0 means that it is on this machine's disk and will be delivered or shown as refused; "
        "with --require-delivery, 0 means that the service has it, and 75 that it waits."
    )
    yield Paragraph(
        "`cpctl outbox check` alone follows monitoring plugins: 0 OK, 1 warning, 2 critical, 3 unknown. "
        "`cpctl sandbox run` ends as the command it runs."
    )
    yield Paragraph("A script decides by the number, and repeats only what is temporary:")
    yield CodeBlock(
        "cpctl orders info order-1 -o json > order.json\n"
        "case $? in\n"
        "  0) ;;\n"
        '  9) echo "no such order" ;;\n'
        '  75) echo "try again later" ;;\n'
        "  *) exit 1 ;;\n"
        "esac"
    )
    yield Paragraph(
        "With -o json a failure without a result is one line of JSON on standard error: "
        '{"error": {"code", "message", "hint", "exit_code", "http_status", "retryable", "profile"}}.'
    )


def environment_rows() -> list[tuple[str, str]]:
    """Every variable of cpctl's own, with what it does."""
    from cpctl.config.keys import KEY_VARIABLES
    from cpctl.config.settings import OTHER_VARIABLES, SETTINGS

    rows = [(row.variable, row.meaning) for row in SETTINGS.values() if row.variable]
    for service, name in KEY_VARIABLES.items():
        rows += [(name, f"the key of {service}"), (f"{name}_FILE", f"a file that holds the key of {service}")]
    return [*rows, *OTHER_VARIABLES.items()]


def environment() -> Iterator[Block]:
    """Every variable that is read."""
    from cpctl.output.text import ENVIRONMENT_VARIABLES

    yield Paragraph(
        "An option beats the environment, and the environment beats the configuration file. "
        "An empty value counts as unset. With the environment alone, and no file, every command works."
    )
    yield DefinitionList([(name, meaning) for name, meaning in environment_rows()])
    yield Heading("How output looks")
    yield DefinitionList([(name, meaning) for name, meaning in ENVIRONMENT_VARIABLES.items()])
    yield Paragraph("`cpctl whoami` shows each value in force, and where it comes from.")


def output() -> Iterator[Block]:
    """Formats, queries, colour, and what goes where."""
    from cpctl.output.formats import FORMATS

    yield Paragraph(
        "Standard output is data, standard error is talk: notices, warnings, progress, errors. "
        "A script that reads standard output never sees a hint."
    )
    yield Heading("-o, --output FORMAT")
    yield DefinitionList([(name, meaning) for name, (_, meaning) in FORMATS.items()])
    yield Paragraph(
        "Tables leave out what does not fit the terminal; the other formats cut nothing. "
        "JSON keeps the fields that cpctl does not know. Lists are always arrays, one thing is one object. "
        "Ids are text, and keep their leading zeros."
    )
    yield Heading("--query JMESPATH")
    yield Paragraph("It is applied once, to the whole result; `-o value` then writes one value a line:")
    yield CodeBlock("cpctl outbox list --state refused --query '[].id' -o value")
    yield Heading("Colour and talk")
    yield Paragraph(
        "--color is auto, always or never; auto is colour on a terminal only. "
        "-q says less, -qq not even warnings, -v more; --debug shows every call with its key masked. "
        "Control characters in data never reach a terminal. `cpctl help environment` names the variables."
    )


def keys() -> Iterator[Block]:
    """The three keys, and where to keep them."""
    from cpctl.config.keys import KEY_USES, KEY_VARIABLES
    from cpctl.config.settings import KEY_SOURCE_SETTINGS

    yield Paragraph("Cloudprinter gives each interface a key of its own. A profile holds them apart:")
    yield DefinitionList([(service, f"{use}; or {KEY_VARIABLES[service]}") for service, use in KEY_USES.items()])
    yield Heading("From where a key comes")
    yield Paragraph("Each key has exactly one source:")
    yield DefinitionList([(name, meaning) for name, meaning in KEY_SOURCE_SETTINGS.items()])
    yield CodeBlock("signal: {api_key_command: [pass, show, cpctl/signal]}")
    yield Paragraph(
        "The environment beats the file: " + ", ".join(KEY_VARIABLES.values()) + ", each also with _FILE for a file. "
        "A file of keys that others can read is refused, with the `chmod` to type."
    )
    yield Paragraph(
        "No key is ever shown: not in output, errors, --debug or --dry-run (`***` stands there), nor in the store. "
        "`cpctl whoami` shows the last four characters and the source; `cpctl profile check` tries all."
    )


def configuration() -> Iterator[Block]:
    """The configuration file: every setting of a profile."""
    from cpctl.config.settings import SHOP_SETTINGS

    yield Paragraph(
        "One YAML file holds the profiles: accounts, benches, a sandbox. `cpctl profile path` says where it is looked "
        "for; --config FILE or CPCTL_CONFIG name another. It must be readable by its owner alone (`chmod 600`)."
    )
    yield CodeBlock(EXAMPLE_CONFIG)
    yield Paragraph(
        "default_profile is used without --profile and CPCTL_PROFILE; a single profile needs neither. "
        "Unknown names are refused with line and nearest right name (exit status 3)."
    )
    yield Heading("Settings of a profile")
    yield DefinitionList(setting_rows())
    yield Heading("What a shop has set up")
    yield DefinitionList([(name, meaning) for name, meaning in SHOP_SETTINGS.items()])
    yield Paragraph(
        "`cpctl whoami` shows every value in force with its source; `cpctl profile check` looks the file over. "
        "`cpctl help keys` is about keys."
    )


def setting_rows() -> list[tuple[str, str]]:
    """Keys and plain settings of a profile, with default and variable."""
    from cpctl.config.keys import KEY_USES
    from cpctl.config.settings import KEY_SOURCE_SETTINGS, SETTINGS

    ways = ", ".join(KEY_SOURCE_SETTINGS)
    rows = [(service, f"one of {ways}: the key for {use}") for service, use in KEY_USES.items()]
    for row in SETTINGS.values():
        default = f"; {row.default} if none is given" if row.default else ""
        beaten = f"; {row.variable} beats it" if row.variable else ""
        rows.append((row.name, f"{row.meaning}{default}{beaten}"))
    return rows
