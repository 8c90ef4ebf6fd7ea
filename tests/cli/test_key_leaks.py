"""No key is ever shown: marked keys are configured in every way, and then searched for everywhere."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.config.keys import KEY_VARIABLES, SERVICES
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, UNREACHABLE_URL, CliEnvironment, CliResult
from harness.command_tree import ALL_COMMANDS
from harness.servers.fixed_status_server import fixed_status_server

Invoke = Callable[..., CliResult]
# The search is for this beginning: half a key is a leak, too. The last four characters may be shown.
KEY_MARKER = "LeakedCanary"
MARKED_KEYS = {service: f"{KEY_MARKER}-{service}-5f3a9c1e7b2d" for service in SERVICES}
VERBOSE_OPTIONS = ("-v", "--debug")
# The time that a server runs before it is stopped.
SERVER_SECONDS = 4.0
SERVER_COMMANDS = {("sandbox", "serve")}
KEY_FOLDER = "holders"


def write_key_file(cli: CliEnvironment, service: str) -> Path:
    """Write a key file, in the one folder that is not searched."""
    folder = cli.folder / KEY_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / service
    file.write_text(MARKED_KEYS[service] + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def configure_keys(cli: CliEnvironment, base_url: str, way: str) -> CliEnvironment:
    """An environment with three keys from one kind of source; its configuration is in the folder not searched."""
    files = {service: write_key_file(cli, service) for service in SERVICES}
    ways = {
        "value": {service: f"api_key: {MARKED_KEYS[service]}" for service in SERVICES},
        "file": {service: f"api_key_file: {files[service]}" for service in SERVICES},
        "command": {service: f"api_key_command: [cat, {files[service]}]" for service in SERVICES},
    }
    environment = dict(cli.environment)
    if way == "variable":
        environment |= {KEY_VARIABLES[service]: key for service, key in MARKED_KEYS.items()}
    if way == "variable of a file":
        environment |= {f"{KEY_VARIABLES[service]}_FILE": str(file) for service, file in files.items()}
    keys = "".join(f"    {service}: {{{text}}}\n" for service, text in ways.get(way, {}).items())
    config = cli.folder / KEY_FOLDER / "config.yaml"
    config.write_text(
        f"profiles:\n  sandbox:\n    base_url: {base_url}\n    shipping_option: GLS\n{keys}", encoding="utf-8"
    )
    config.chmod(0o600)
    return CliEnvironment(cli.folder, {**environment, "CPCTL_CONFIG": str(config)})


@pytest.fixture
def sandbox_with_marked_keys(sandbox: Sandbox) -> Sandbox:
    """A sandbox with the marked keys."""
    sandbox.state.api_keys.update(MARKED_KEYS)
    return sandbox


def find_leaks(cli: CliEnvironment, sandbox: Sandbox | None, *texts: str) -> Iterator[str]:
    """Every place that contains a marked key."""
    for number, text in enumerate(texts):
        if KEY_MARKER in text:
            yield f"text {number}: {text}"
    for file in cli.folder.rglob("*"):
        if file.is_file() and KEY_FOLDER not in file.parts and KEY_MARKER.encode() in file.read_bytes():
            yield str(file)
    if sandbox is not None and KEY_MARKER in json.dumps(
        [sandbox.state.journal.list_entries(), sandbox.state.snapshot()]
    ):
        yield "the sandbox's journal"


def run_to_end(cli: CliEnvironment, *arguments: str) -> tuple[int, str]:
    """Run a command to its end, or a server for some seconds: exit status and all output."""
    process = cli.start(*arguments)
    try:
        out, err = process.communicate(timeout=SERVER_SECONDS if tuple(arguments[:2]) in SERVER_COMMANDS else 60)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_these_tests_cover_every_command() -> None:
    assert {command[0] for command in ALL_COMMANDS} == {*GROUPS, *COMMANDS}
    assert len(ALL_COMMANDS) == len(set(ALL_COMMANDS)) >= 30


@pytest.mark.parametrize("group", [*GROUPS, *COMMANDS])
def test_no_command_shows_a_key(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox, group: str
) -> None:
    """Every command, run as in its own example, with all messages."""
    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, "value")
    outbox = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    assert run_to_end(cli, *outbox)[0] == 0
    for words, example in ALL_COMMANDS.items():
        if words[0] == group:
            arguments = ["0" if word == "8900" else word for word in example]
            code, output = run_to_end(cli, *words, *VERBOSE_OPTIONS, *arguments)
            assert code != 1, (words, output)
            assert list(find_leaks(cli, sandbox_with_marked_keys, output)) == [], words


SIGNAL_COMMANDS = [
    ("signal", "packed", ITEM, "--order", ORDER, *VERBOSE_OPTIONS),
    ("signal", "packed", ITEM, "--order", ORDER, *VERBOSE_OPTIONS, "-n"),
    ("signal", "packed", "unknown", "--order", ORDER, *VERBOSE_OPTIONS, "-o", "json"),
    ("outbox", "flush", *VERBOSE_OPTIONS),
    ("whoami", *VERBOSE_OPTIONS, "-o", "json"),
    ("profile", "show", *VERBOSE_OPTIONS),
    ("profile", "check", *VERBOSE_OPTIONS),
]


@pytest.mark.parametrize("way", ["file", "command", "variable", "variable of a file"])
def test_no_source_of_a_key_shows_it(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox, invoke: Invoke, way: str
) -> None:
    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, way)
    ends = f"…{MARKED_KEYS['signal'][-4:]}"
    for arguments in SIGNAL_COMMANDS:
        result = invoke(cli, *arguments)
        assert result.code in (0, 5), (arguments, result)
        assert list(find_leaks(cli, sandbox_with_marked_keys, result.out, result.err)) == [], arguments
        assert arguments[0] not in ("whoami", "profile") or arguments[1] == "check" or ends in result.out
    assert [entry["processed"] for entry in sandbox_with_marked_keys.state.journal.list_entries()] == [True, False], (
        "the keys were right"
    )


ECHO_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "as it came": lambda body: body,
    "as an error": lambda body: json.dumps({"error": {"type": "bad", "info": body.decode()}}).encode(),
    "under a name": lambda body: json.dumps({"errors": {json.loads(body)["apikey"]: "is wrong"}}).encode(),
    "cut in its middle": lambda body: b"x" * 480 + json.loads(body)["apikey"].encode() + b"x" * 480,
    "as a page": lambda body: b"<html><title>No " + json.loads(body)["apikey"].encode() + b"</title></html>",
    "with entities": lambda body: b"<p>" + json.loads(body)["apikey"].encode().replace(b"-", b"&#45;") + b"</p>",
    "with escapes": lambda body: json.dumps(json.loads(body)["apikey"]).replace("-", "\\u002d").encode(),
    "escaped and cut": lambda body: (
        b'"' + b"x" * 480 + json.loads(body)["apikey"].encode().replace(b"-", b"\\u002d") + b'"'
    ),
}


@pytest.mark.parametrize("echo", ECHO_BODIES)
@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_response_that_contains_the_key_is_masked(
    unconfigured_cli: CliEnvironment, invoke: Invoke, status: int, echo: str
) -> None:
    with fixed_status_server(status, ECHO_BODIES[echo]) as address:
        cli = configure_keys(unconfigured_cli, address, "file")
        for arguments in (
            SIGNAL_COMMANDS[0],
            ("outbox", "list", "-o", "json"),
            ("outbox", "show", "1"),
            ("outbox", "flush", *VERBOSE_OPTIONS),
        ):
            result = invoke(cli, *arguments)
            assert list(find_leaks(cli, None, result.out, result.err)) == [], arguments
        assert cli.store.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"CPCTL_STORE": "holders"},
        {"CPCTL_TIMEOUT": "soon"},
        {"CPCTL_PROFILE": "nobody"},
        {"CPCTL_BASE_URL": "http://api.example.org"},
        {"CPCTL_BASE_URL": UNREACHABLE_URL},
        {"CPCTL_SIGNAL_KEY": f"{KEY_MARKER} with blanks"},
        {"CPCTL_SIGNAL_KEY": f"{KEY_MARKER}ü"},
        {"CPCTL_SIGNAL_KEY": MARKED_KEYS["signal"], "CPCTL_SIGNAL_KEY_FILE": "x"},
        {"CPCTL_SIGNAL_KEY_FILE": "holders"},
    ],
    ids=str,
)
def test_no_failure_shows_a_key(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox, invoke: Invoke, changes: dict[str, str]
) -> None:
    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, "value")
    for arguments in (SIGNAL_COMMANDS[0], SIGNAL_COMMANDS[4], SIGNAL_COMMANDS[6], (*SIGNAL_COMMANDS[0], "-o", "json")):
        result = invoke(cli, *arguments, **changes)
        assert list(find_leaks(cli, sandbox_with_marked_keys, result.out, result.err)) == [], arguments


@pytest.mark.parametrize(
    "line",
    [
        "signal: {api_key: KEY: x}",
        "signal: {api_key: KEY",
        "signal: KEY",
        "signal: [KEY]",
        "signal: {api_key: [KEY]}",
        "signal: {api_key: {KEY: x}}",
        "signal: {api_key: KEY, api_key_file: KEY}",
        "signal: {api_key_command: KEY}",
        "signal: {api_key: 'KEY}",
        "\tsignal: {api_key: KEY}",
        "signal: {api_key: KEY, api_kee: KEY}",
        "signal: {api_key: KEY KEY}",
    ],
)
def test_no_configuration_error_shows_a_key(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox, invoke: Invoke, line: str
) -> None:
    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, "value")
    text = f"profiles:\n  sandbox:\n    core: {{api_key: KEY}}\n    {line}\n".replace("KEY", MARKED_KEYS["signal"])
    (cli.folder / KEY_FOLDER / "config.yaml").write_text(text, encoding="utf-8")
    for arguments in (SIGNAL_COMMANDS[0], SIGNAL_COMMANDS[4], SIGNAL_COMMANDS[6]):
        result = invoke(cli, *arguments)
        assert result.code == 3, (arguments, result)
        assert list(find_leaks(cli, sandbox_with_marked_keys, result.out, result.err)) == [], arguments


def test_no_bug_shows_a_key(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash while sending, with the key in the message of the exception."""

    def broken(*anything: object) -> None:
        raise ZeroDivisionError(f"cannot divide {MARKED_KEYS['signal']}")

    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, "command")
    monkeypatch.setattr("cpctl.sdk.sender.find_signal_endpoint", broken)
    result = invoke(cli, *SIGNAL_COMMANDS[0])
    assert result.code == 1
    assert "Traceback" in result.err
    assert list(find_leaks(cli, sandbox_with_marked_keys, result.out, result.err)) == []


def test_no_key_is_on_the_command_line_of_a_child_process(
    unconfigured_cli: CliEnvironment, sandbox_with_marked_keys: Sandbox
) -> None:
    """Every user of the machine can read command lines."""
    cli = configure_keys(unconfigured_cli, sandbox_with_marked_keys.base_url, "value")
    script = (
        "import pathlib; print(*(p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline') if p.exists()))"
    )
    code, output = run_to_end(cli, "sandbox", "run", "--", sys.executable, "-c", script)
    assert code == 0
    assert KEY_MARKER not in output.replace(script, "")
