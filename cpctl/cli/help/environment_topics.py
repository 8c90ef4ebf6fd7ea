"""Topics about cpctl on a machine: exit status, environment, output, keys, configuration."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, Code, Head, Rows, Words

EXAMPLE = """\
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
    from cpctl.errors import EXIT_MEANINGS

    yield Words("The exit status says what became of a command. The numbers do not change.")
    yield Rows([(str(int(code)), meaning) for code, meaning in EXIT_MEANINGS.items()])
    yield Words(
        "For a signal, 0 means that it is on this machine's disk and will be delivered or shown as refused; "
        "with --require-delivery, 0 means that the service has it, and 75 that it waits."
    )
    yield Words(
        "`cpctl outbox check` alone follows monitoring plugins: 0 OK, 1 warning, 2 critical, 3 unknown. "
        "`cpctl sandbox run` ends as the command it runs."
    )
    yield Words("A script decides by the number, and repeats only what is temporary:")
    yield Code(
        "cpctl orders info order-1 -o json > order.json\n"
        "case $? in\n"
        "  0) ;;\n"
        '  9) echo "no such order" ;;\n'
        '  75) echo "try again later" ;;\n'
        "  *) exit 1 ;;\n"
        "esac"
    )
    yield Words(
        "With -o json a failure without a result is one line of JSON on standard error: "
        '{"error": {"code", "message", "hint", "exit_code", "http_status", "retryable", "profile"}}.'
    )


def environment_rows() -> list[tuple[str, str]]:
    """Every variable of cpctl's own, with what it does."""
    from cpctl.config.keys import ENV_NAMES
    from cpctl.config.profiles import OTHER_VARIABLES, SETTINGS

    rows = [(row.variable, row.meaning) for row in SETTINGS.values() if row.variable]
    for service, name in ENV_NAMES.items():
        rows += [(name, f"the key of {service}"), (f"{name}_FILE", f"a file that holds the key of {service}")]
    return [*rows, *OTHER_VARIABLES.items()]


def environment() -> Iterator[Block]:
    """Every variable that is read."""
    from cpctl.output.text import VARIABLES

    yield Words(
        "An option beats the environment, and the environment beats the configuration file. "
        "An empty value counts as unset. With the environment alone, and no file, every command works."
    )
    yield Rows([(name, meaning) for name, meaning in environment_rows()])
    yield Head("How output looks")
    yield Rows([(name, meaning) for name, meaning in VARIABLES.items()])
    yield Words("`cpctl whoami` shows each value in force, and where it comes from.")


def output() -> Iterator[Block]:
    """Formats, queries, colour, and what goes where."""
    from cpctl.output.formats import FORMATS

    yield Words(
        "Standard output is data, standard error is talk: notices, warnings, progress, errors. "
        "A script that reads standard output never sees a hint."
    )
    yield Head("-o, --output FORMAT")
    yield Rows([(name, meaning) for name, (_, meaning) in FORMATS.items()])
    yield Words(
        "Tables leave out what does not fit the terminal; the other formats cut nothing. "
        "JSON keeps the fields that cpctl does not know. Lists are always arrays, one thing is one object. "
        "Ids are text, and keep their leading zeros."
    )
    yield Head("--query JMESPATH")
    yield Words("It is applied once, to the whole result; `-o value` then writes one value a line:")
    yield Code("cpctl outbox list --state refused --query '[].id' -o value")
    yield Head("Colour and talk")
    yield Words(
        "--color is auto, always or never; auto is colour on a terminal only. "
        "-q says less, -qq not even warnings, -v more; --debug shows every call with its key masked. "
        "Control characters in data never reach a terminal. `cpctl help environment` names the variables."
    )


def keys() -> Iterator[Block]:
    """The three keys, and where to keep them."""
    from cpctl.config.keys import ENV_NAMES, KEY_USES
    from cpctl.config.profiles import KEY_KINDS

    yield Words("Cloudprinter gives each interface a key of its own. A profile holds them apart:")
    yield Rows([(service, f"{use}; or {ENV_NAMES[service]}") for service, use in KEY_USES.items()])
    yield Head("From where a key comes")
    yield Words("Each key has exactly one source:")
    yield Rows([(name, meaning) for name, meaning in KEY_KINDS.items()])
    yield Code("signal: {api_key_command: [pass, show, cpctl/signal]}")
    yield Words(
        "The environment beats the file: " + ", ".join(ENV_NAMES.values()) + ", each also with _FILE for a file. "
        "A file of keys that others can read is refused, with the `chmod` to type."
    )
    yield Words(
        "No key is ever shown: not in output, errors, --debug or --dry-run (`***` stands there), nor in the store. "
        "`cpctl whoami` shows the last four characters and the source; `cpctl profile check` tries all."
    )


def configuration() -> Iterator[Block]:
    """The configuration file: every setting of a profile."""
    from cpctl.config.profiles import SHOP_NAMES

    yield Words(
        "One YAML file holds the profiles: accounts, benches, a sandbox. `cpctl profile path` says where it is looked "
        "for; --config FILE or CPCTL_CONFIG name another. It must be readable by its owner alone (`chmod 600`)."
    )
    yield Code(EXAMPLE)
    yield Words(
        "default_profile is used without --profile and CPCTL_PROFILE; a single profile needs neither. "
        "Unknown names are refused with line and nearest right name (exit status 3)."
    )
    yield Head("Settings of a profile")
    yield Rows(setting_rows())
    yield Head("What a shop has set up")
    yield Rows([(name, meaning) for name, meaning in SHOP_NAMES.items()])
    yield Words(
        "`cpctl whoami` shows every value in force with its source; `cpctl profile check` looks the file over. "
        "`cpctl help keys` is about keys."
    )


def setting_rows() -> list[tuple[str, str]]:
    """Keys and plain settings of a profile, with default and variable."""
    from cpctl.config.keys import KEY_USES
    from cpctl.config.profiles import KEY_KINDS, SETTINGS

    ways = ", ".join(KEY_KINDS)
    rows = [(service, f"one of {ways}: the key for {use}") for service, use in KEY_USES.items()]
    for row in SETTINGS.values():
        default = f"; {row.default} if none is given" if row.default else ""
        beaten = f"; {row.variable} beats it" if row.variable else ""
        rows.append((row.name, f"{row.meaning}{default}{beaten}"))
    return rows
