"""No key is ever shown: distinctive keys are configured in every way, and then looked for everywhere."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_server import answering
from cli_tree import ALL_COMMANDS
from worlds import ITEM, NOBODY, ORDER, Result, World

from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.config.keys import KEY_VARIABLES, SERVICES
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
# Looked for is this beginning: half a key is a leak, too. The last four characters may be shown.
CANARY = "Kanarienvogel"
KEYS = {service: f"{CANARY}-{service}-5f3a9c1e7b2d" for service in SERVICES}
LOUD = ("-v", "--debug")
# Long enough for a command that serves to serve; it is then told to stop.
PATIENCE = 4.0
SERVING = {("sandbox", "serve")}
HOLDERS = "holders"


def holder(world: World, service: str) -> Path:
    """A file that holds a key, in the one folder that is not searched."""
    folder = world.folder / HOLDERS
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / service
    file.write_text(KEYS[service] + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def configured(world: World, base_url: str, way: str) -> World:
    """A world whose three keys are given in that way; its configuration lies where nobody looks for canaries."""
    files = {service: holder(world, service) for service in SERVICES}
    ways = {
        "value": {service: f"api_key: {KEYS[service]}" for service in SERVICES},
        "file": {service: f"api_key_file: {files[service]}" for service in SERVICES},
        "command": {service: f"api_key_command: [cat, {files[service]}]" for service in SERVICES},
    }
    environment = dict(world.environment)
    if way == "variable":
        environment |= {KEY_VARIABLES[service]: key for service, key in KEYS.items()}
    if way == "variable of a file":
        environment |= {f"{KEY_VARIABLES[service]}_FILE": str(file) for service, file in files.items()}
    keys = "".join(f"    {service}: {{{text}}}\n" for service, text in ways.get(way, {}).items())
    config = world.folder / HOLDERS / "config.yaml"
    config.write_text(
        f"profiles:\n  sandbox:\n    base_url: {base_url}\n    shipping_option: GLS\n{keys}", encoding="utf-8"
    )
    config.chmod(0o600)
    return World(world.folder, {**environment, "CPCTL_CONFIG": str(config)})


@pytest.fixture
def guarded(sandbox: Sandbox) -> Sandbox:
    """A sandbox that takes the canaries for its keys."""
    sandbox.state.api_keys.update(KEYS)
    return sandbox


def leaks(world: World, sandbox: Sandbox | None, *texts: str) -> Iterator[str]:
    """Every place in which a canary sings."""
    for number, text in enumerate(texts):
        if CANARY in text:
            yield f"text {number}: {text}"
    for file in world.folder.rglob("*"):
        if file.is_file() and HOLDERS not in file.parts and CANARY.encode() in file.read_bytes():
            yield str(file)
    if sandbox is not None and CANARY in json.dumps([sandbox.state.journal.list_entries(), sandbox.state.snapshot()]):
        yield "the sandbox's journal"


def finished(world: World, *words: str) -> tuple[int, str]:
    """Run to the end, or long enough for one that serves: status, and all it wrote."""
    process = world.start(*words)
    try:
        out, err = process.communicate(timeout=PATIENCE if tuple(words[:2]) in SERVING else 60)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_every_command_of_the_tree_is_walked() -> None:
    assert {command[0] for command in ALL_COMMANDS} == {*GROUPS, *COMMANDS}
    assert len(ALL_COMMANDS) == len(set(ALL_COMMANDS)) >= 30


@pytest.mark.parametrize("group", [*GROUPS, *COMMANDS])
def test_no_command_shows_a_key(empty_world: World, guarded: Sandbox, group: str) -> None:
    """Every command, run as its own example says, with all that can be said."""
    world = configured(empty_world, guarded.base_url, "value")
    outbox = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    assert finished(world, *outbox)[0] == 0
    for words, example in ALL_COMMANDS.items():
        if words[0] == group:
            arguments = ["0" if word == "8900" else word for word in example]
            code, said = finished(world, *words, *LOUD, *arguments)
            assert code != 1, (words, said)
            assert list(leaks(world, guarded, said)) == [], words


TELLING = [
    ("signal", "packed", ITEM, "--order", ORDER, *LOUD),
    ("signal", "packed", ITEM, "--order", ORDER, *LOUD, "-n"),
    ("signal", "packed", "unknown", "--order", ORDER, *LOUD, "-o", "json"),
    ("outbox", "flush", *LOUD),
    ("whoami", *LOUD, "-o", "json"),
    ("profile", "show", *LOUD),
    ("profile", "check", *LOUD),
]


@pytest.mark.parametrize("way", ["file", "command", "variable", "variable of a file"])
def test_no_way_to_a_key_shows_it(empty_world: World, guarded: Sandbox, inside: Inside, way: str) -> None:
    world = configured(empty_world, guarded.base_url, way)
    ends = f"…{KEYS['signal'][-4:]}"
    for words in TELLING:
        result = inside(world, *words)
        assert result.code in (0, 5), (words, result)
        assert list(leaks(world, guarded, result.out, result.err)) == [], words
        assert words[0] not in ("whoami", "profile") or words[1] == "check" or ends in result.out
    assert [entry["landed"] for entry in guarded.state.journal.list_entries()] == [True, False], "the keys were right"


ECHOES: dict[str, Callable[[bytes], bytes]] = {
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


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_service_that_repeats_the_key_does_not_make_it_known(
    empty_world: World, inside: Inside, status: int, echo: str
) -> None:
    with answering(status, ECHOES[echo]) as address:
        world = configured(empty_world, address, "file")
        for words in (
            TELLING[0],
            ("outbox", "list", "-o", "json"),
            ("outbox", "show", "1"),
            ("outbox", "flush", *LOUD),
        ):
            result = inside(world, *words)
            assert list(leaks(world, None, result.out, result.err)) == [], words
        assert world.store.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"CPCTL_STORE": "holders"},
        {"CPCTL_TIMEOUT": "soon"},
        {"CPCTL_PROFILE": "nobody"},
        {"CPCTL_BASE_URL": "http://api.example.org"},
        {"CPCTL_BASE_URL": NOBODY},
        {"CPCTL_SIGNAL_KEY": f"{CANARY} with blanks"},
        {"CPCTL_SIGNAL_KEY": f"{CANARY}ü"},
        {"CPCTL_SIGNAL_KEY": KEYS["signal"], "CPCTL_SIGNAL_KEY_FILE": "x"},
        {"CPCTL_SIGNAL_KEY_FILE": "holders"},
    ],
    ids=str,
)
def test_no_failure_shows_a_key(empty_world: World, guarded: Sandbox, inside: Inside, changes: dict[str, str]) -> None:
    world = configured(empty_world, guarded.base_url, "value")
    for words in (TELLING[0], TELLING[4], TELLING[6], (*TELLING[0], "-o", "json")):
        result = inside(world, *words, **changes)
        assert list(leaks(world, guarded, result.out, result.err)) == [], words


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
def test_no_mistake_in_the_configuration_shows_a_key(
    empty_world: World, guarded: Sandbox, inside: Inside, line: str
) -> None:
    world = configured(empty_world, guarded.base_url, "value")
    text = f"profiles:\n  sandbox:\n    core: {{api_key: KEY}}\n    {line}\n".replace("KEY", KEYS["signal"])
    (world.folder / HOLDERS / "config.yaml").write_text(text, encoding="utf-8")
    for words in (TELLING[0], TELLING[4], TELLING[6]):
        result = inside(world, *words)
        assert result.code == 3, (words, result)
        assert list(leaks(world, guarded, result.out, result.err)) == [], words


def test_no_bug_shows_a_key(
    empty_world: World, guarded: Sandbox, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in the midst of sending, with the key in the words of the exception."""

    def broken(*anything: object) -> None:
        raise ZeroDivisionError(f"cannot divide {KEYS['signal']}")

    world = configured(empty_world, guarded.base_url, "command")
    monkeypatch.setattr("cpctl.sdk.sender.signal_endpoint", broken)
    result = inside(world, *TELLING[0])
    assert result.code == 1
    assert "Traceback" in result.err
    assert list(leaks(world, guarded, result.out, result.err)) == []


def test_the_key_of_a_child_is_not_on_its_command_line(empty_world: World, guarded: Sandbox) -> None:
    """What stands on a command line can be read by every user of the machine."""
    world = configured(empty_world, guarded.base_url, "value")
    script = (
        "import pathlib; print(*(p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline') if p.exists()))"
    )
    code, said = finished(world, "sandbox", "run", "--", sys.executable, "-c", script)
    assert code == 0
    assert CANARY not in said.replace(script, "")
