"""`profile init` without a terminal, and what it does to an existing configuration."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, CliResult
from harness.prompt_session import CORE_KEY

Invoke = Callable[..., CliResult]
INIT_COMMAND = ("profile", "init")
KEYS_LATER = ("--later", "core", "--later", "signal")
LIVE_OPTIONS = ("--environment", "live", *KEYS_LATER)


def config_text(config: Path) -> str:
    return config.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (
            (),
            "NAME, --environment live|sandbox, --core-key-file (or --core-key-command), --signal-key-file",
        ),
        (("home",), "Missing: --environment live|sandbox, --core-key-file"),
        (
            ("home", "--environment", "live"),
            "Missing: --core-key-file (or --core-key-command), --signal-key-file",
        ),
        (
            ("home", "--environment", "live", "--later", "core"),
            "Missing: --signal-key-file (or --signal-key-command).",
        ),
    ],
)
def test_missing_options_are_listed_if_prompts_are_impossible(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path, arguments: tuple[str, ...], missing: str
) -> None:
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments)
    assert (result.code, result.out) == (2, "")
    assert missing in result.err
    assert not config_file.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("home", "--environment", "live"), "add: --later core --later signal."),
        (("home", "--environment", "live", "--later", "core"), "add: --later signal."),
        (("home", *KEYS_LATER), ""),
    ],
)
def test_the_hint_names_only_the_missing_keys(
    fresh_cli: CliEnvironment, invoke: Invoke, arguments: tuple[str, ...], hint: str
) -> None:
    error = invoke(fresh_cli, *INIT_COMMAND, *arguments).err
    assert hint in error
    assert ("--later" in error) == bool(hint)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("two words", *LIVE_OPTIONS), 2, "The name of the profile must consist of letters, digits"),
        (("..", *LIVE_OPTIONS), 2, "The name of the profile must consist of letters, digits"),
        (("a/b", *LIVE_OPTIONS), 2, "The name of the profile must consist of letters, digits"),
        ((CORE_KEY, *LIVE_OPTIONS), 2, "The name of the profile looks like a key"),
        (("home", "--environment", "test", *KEYS_LATER), 2, '--environment "test" must be live or sandbox.'),
        (("home", *LIVE_OPTIONS, "--base-url", "http://example.org"), 2, "must begin with https://"),
        (("home", *LIVE_OPTIONS, "--signal-version", "3"), 2, '--signal-version "3" must be 1.1 or 2.0'),
        (("home", *LIVE_OPTIONS, "--later", "hooks"), 2, '--later "hooks": there is no such service.'),
        (
            ("home", *LIVE_OPTIONS, "--core-key-file", "core.key"),
            2,
            "The core key has 2 sources: --core-key-file, --later core.",
        ),
        (("home", *LIVE_OPTIONS, "--webhooks-key-file", "nowhere"), 3, "nowhere cannot be read: No such file"),
        (("home", *LIVE_OPTIONS, "--webhooks-key-command", "a 'b"), 2, "is not a command: no closing quotation"),
        (("home", *LIVE_OPTIONS, "--webhooks-key-command", ""), 2, "must be a command"),
        (("home", *LIVE_OPTIONS, "--shipping-option", "a\x07"), 2, "holds a control character"),
    ],
)
def test_an_invalid_option_is_refused_and_nothing_is_written(
    fresh_cli: CliEnvironment,
    invoke: Invoke,
    config_file: Path,
    core_key_file: Path,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert CORE_KEY not in result.err
    assert not config_file.parent.exists()


def test_a_script_creates_a_profile_and_reads_the_result(
    fresh_cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, config_file: Path, core_key_file: Path
) -> None:
    arguments = ("bench", "--environment", "sandbox", "--base-url", sandbox.base_url, "--core-key-file", "core.key")
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments, "--later", "signal", "--signal-version", "2.0", "-o", "json")
    assert result.code == 0
    assert result.data["profile"] == "bench"
    assert [(row["service"], row["verdict"]) for row in result.data["keys"]] == [
        ("core", "accepted"),
        ("signal", "not set"),
        ("webhooks", "not set"),
    ]
    assert "signal_version: '2.0'" in config_text(config_file)
    shown = {row["setting"]: row for row in invoke(fresh_cli, "profile", "show", "-o", "json").data}
    assert shown["core key"]["value"] == "…0c0e"
    assert invoke(fresh_cli, "profile", "check").code == 0


def test_a_dry_run_writes_nothing_and_makes_no_call(
    fresh_cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, config_file: Path, core_key_file: Path
) -> None:
    arguments = ("bench", "--environment", "sandbox", "--base-url", sandbox.base_url, "--core-key-file", "core.key")
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments, "--later", "signal", "--dry-run")
    assert result.code == 0
    assert "Dry run: nothing was written" in result.err
    assert not config_file.parent.exists()
    assert sandbox.state.journal.list_entries() == []


def test_an_existing_profile_is_replaced_only_with_force(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    assert invoke(fresh_cli, *INIT_COMMAND, "home", *LIVE_OPTIONS).code == 0
    before = config_file.read_bytes()
    result = invoke(fresh_cli, *INIT_COMMAND, "home", "--environment", "sandbox", *KEYS_LATER)
    assert (result.code, result.out) == (6, "")
    assert "`cpctl profile set-key SERVICE --profile home`, or replace the whole profile with --force." in result.err
    assert config_file.read_bytes() == before
    assert invoke(fresh_cli, *INIT_COMMAND, "home", "--environment", "sandbox", *KEYS_LATER, "--force").code == 0
    assert b"environment: sandbox" in config_file.read_bytes()
    assert b"live" not in config_file.read_bytes()


def test_the_first_profile_is_the_default_and_later_ones_only_with_the_option(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    def default() -> str:
        return next(row["name"] for row in invoke(fresh_cli, "profile", "list", "-o", "json").data if row["default"])

    for name, more, expected in (("one", (), "one"), ("two", (), "one"), ("three", ("--default",), "three")):
        assert invoke(fresh_cli, *INIT_COMMAND, name, *LIVE_OPTIONS, *more).code == 0
        assert default() == expected


def test_the_only_profile_stays_the_default_when_another_is_added(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    """Without a default_profile the only profile is used; a second one must not break what works."""
    config_file.parent.mkdir()
    config_file.write_text("profiles:\n  old: {signal: {api_key: an-old-signal-key}}\n", encoding="utf-8")
    config_file.chmod(0o600)
    assert invoke(fresh_cli, *INIT_COMMAND, "new", *LIVE_OPTIONS).code == 0
    assert invoke(fresh_cli, "whoami", "-o", "value", "--query", "profile").out == "old\n"


EXISTING_CONFIG = """\
# Shop in Kassel. Ask Ana before you change anything.

default_profile:   bench   # not the office

profiles:

    bench:             # by the door
        environment: "live"
        signal: { api_key: 'an-old-signal-key' }   # since May
        # timeout: 30
        carriers: [ ups,   dhl-de ]

    # The office never signals.
    office:
        core:
            # of the year 2020
            api_key:   an-old-core-key      # Ben has it, too
        timeout: 007

# The end.
"""


def test_comments_and_values_written_by_hand_stay(fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path) -> None:
    config_file.parent.mkdir()
    config_file.write_text(EXISTING_CONFIG, encoding="utf-8")
    config_file.chmod(0o600)
    assert invoke(fresh_cli, *INIT_COMMAND, "new", *LIVE_OPTIONS, "--shipping-option", "GLS").code == 0
    assert invoke(fresh_cli, "profile", "use", "office").code == 0
    assert fresh_cli.run("profile", "set-key", "core", "-", "--profile", "office", input=CORE_KEY).code == 0
    text = config_text(config_file)
    comments = [line[line.index("#") :] for line in EXISTING_CONFIG.splitlines() if "#" in line]
    assert [comment for comment in comments if comment not in text] == []
    for written in ("timeout: 007", 'environment: "live"', "api_key: 'an-old-signal-key'", "default_profile: office"):
        assert written in text
    assert "    new:\n        environment: live\n        shipping_option: GLS\n" in text
    assert "api_key_file: office.core.key" in text


def test_a_profile_is_added_to_a_configuration_in_one_line(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    config_file.parent.mkdir()
    config_file.write_text("profiles: {old: {signal: {api_key: an-old-signal-key}}} # all\n", encoding="utf-8")
    config_file.chmod(0o600)
    assert invoke(fresh_cli, *INIT_COMMAND, "new", *LIVE_OPTIONS).code == 0
    assert "old: {signal: {api_key: an-old-signal-key}}" in config_text(config_file)
    assert [row["name"] for row in invoke(fresh_cli, "profile", "list", "-o", "json").data] == ["old", "new"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles:\n  old: [\n", "line 3"),
        ("profiles:\n  old:\n    signl: {}\n", "line 3, column 5: unknown name"),
        ("profiles:\n  old: {}\n  old: {}\n", 'line 3, column 3: "old" is given twice'),
        ("default_profile: nobody\nprofiles:\n  old: {}\n", 'line 1, column 1: there is no profile "nobody"'),
    ],
)
def test_an_invalid_configuration_is_refused_with_its_line_and_not_changed(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path, text: str, message: str
) -> None:
    config_file.parent.mkdir()
    config_file.write_text(text, encoding="utf-8")
    config_file.chmod(0o600)
    for arguments in (
        (*INIT_COMMAND, "new", *LIVE_OPTIONS),
        ("profile", "use", "old"),
        ("profile", "set-key", "core", "-"),
    ):
        result = invoke(fresh_cli, *arguments)
        assert result.code == 3, arguments
        assert message in result.err
    assert config_text(config_file) == text
    assert [file.name for file in config_file.parent.iterdir()] == ["config.yaml"]


def test_a_configuration_that_others_can_read_is_refused(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    config_file.parent.mkdir()
    config_file.write_text(EXISTING_CONFIG, encoding="utf-8")
    config_file.chmod(0o644)
    result = invoke(fresh_cli, *INIT_COMMAND, "new", *LIVE_OPTIONS)
    assert result.code == 3
    assert f"Type: chmod 600 {config_file}" in result.err
    assert config_text(config_file) == EXISTING_CONFIG


def test_a_link_is_followed_and_stays_a_link(fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path) -> None:
    real = fresh_cli.folder / "dotfiles" / "cpctl.yaml"
    real.parent.mkdir()
    real.write_text(EXISTING_CONFIG, encoding="utf-8")
    real.chmod(0o600)
    config_file.parent.mkdir()
    config_file.symlink_to(real)
    assert invoke(fresh_cli, *INIT_COMMAND, "new", *LIVE_OPTIONS).code == 0
    assert config_file.is_symlink()
    assert "new:" in config_text(real)
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert fresh_cli.run("profile", "set-key", "signal", "-", "-p", "new", input=CORE_KEY).code == 0
    assert (config_file.parent / "new.signal.key").exists(), "beside the link"
    assert invoke(fresh_cli, "profile", "check").code == 0


def test_profiles_created_at_the_same_time_are_all_kept(fresh_cli: CliEnvironment, config_file: Path) -> None:
    names = [f"bench-{number}" for number in range(8)]
    running = [fresh_cli.start(*INIT_COMMAND, name, *LIVE_OPTIONS) for name in names]
    for process in running:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    listed = [row["name"] for row in fresh_cli.run_json("profile", "list")]
    assert sorted(listed) == names
    assert [file.name for file in config_file.parent.iterdir()] == ["config.yaml"], "no lock file and no draft is left"


def without_root(command: list[str]) -> list[str]:
    """The command without root's permission to write everywhere."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("root can write to every folder, and there is no setpriv to prevent it")
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *command]


@pytest.mark.parametrize(
    "arguments",
    [
        (*INIT_COMMAND, "new", *LIVE_OPTIONS),
        ("profile", "use", "office"),
        ("profile", "set-key", "core", "-", "-p", "office"),
    ],
)
def test_nothing_changes_if_the_folder_is_not_writable(
    fresh_cli: CliEnvironment, config_file: Path, arguments: tuple[str, ...]
) -> None:
    config_file.parent.mkdir()
    config_file.write_text(EXISTING_CONFIG, encoding="utf-8")
    config_file.chmod(0o600)
    config_file.parent.chmod(0o500)
    try:
        done = subprocess.run(
            without_root(fresh_cli.command_line(*arguments)),
            input=CORE_KEY,
            capture_output=True,
            text=True,
            env=fresh_cli.process_environment(),
        )
    finally:
        config_file.parent.chmod(0o700)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert config_text(config_file) == EXISTING_CONFIG
    assert [file.name for file in config_file.parent.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("arguments", [(*INIT_COMMAND, "new", *LIVE_OPTIONS), ("profile", "use", "office")])
def test_a_read_only_configuration_is_not_replaced(
    fresh_cli: CliEnvironment, config_file: Path, arguments: tuple[str, ...]
) -> None:
    config_file.parent.mkdir()
    config_file.write_text(EXISTING_CONFIG, encoding="utf-8")
    config_file.chmod(0o400)
    done = subprocess.run(
        without_root(fresh_cli.command_line(*arguments)),
        capture_output=True,
        text=True,
        env=fresh_cli.process_environment(),
    )
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert f"{config_file} cannot be written: it is read-only." in done.stderr
    assert config_text(config_file) == EXISTING_CONFIG


def test_two_names_for_a_profile_are_refused(fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path) -> None:
    assert invoke(fresh_cli, *INIT_COMMAND, "one", "--profile", "two", *LIVE_OPTIONS).code == 2
    assert invoke(fresh_cli, *INIT_COMMAND, "--profile", "two", *LIVE_OPTIONS).code == 0
    assert "  two:" in config_text(config_file)


def test_a_refused_key_is_reported_even_with_quiet(
    fresh_cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, core_key_file: Path
) -> None:
    sandbox.state.api_keys["core"] = "another-key-altogether"
    arguments = ("home", "--environment", "sandbox", "--base-url", sandbox.base_url, "--core-key-file", "core.key")
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments, "--later", "signal", "-qq")
    assert (result.code, result.out) == (4, "")
    assert "the service refused the key (403)" in result.err
    assert len(result.err.splitlines()) == 1


def test_nothing_changes_if_the_disk_is_full(fresh_cli: CliEnvironment, config_file: Path) -> None:
    """A limit on the size of files simulates the full disk: the write fails in its middle."""
    config_file.parent.mkdir()
    long = EXISTING_CONFIG + "# filled up\n" * 300
    config_file.write_text(long, encoding="utf-8")
    config_file.chmod(0o600)
    arguments = fresh_cli.command_line(*INIT_COMMAND, "new", *LIVE_OPTIONS)
    done = subprocess.run(
        ["/bin/bash", "-c", 'trap "" XFSZ; ulimit -f 2; exec "$@"', "bash", *arguments],
        capture_output=True,
        text=True,
        env=fresh_cli.process_environment(),
    )
    assert done.returncode == 3, done.stderr
    assert "config.yaml cannot be written: File too large." in done.stderr
    assert config_text(config_file) == long
    assert [file.name for file in config_file.parent.iterdir()] == ["config.yaml"]


def test_a_change_that_would_affect_another_profile_is_refused(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    shared = "  one: &all\n    signal: &key {api_key: an-old-signal-key}\n"
    text = f"profiles:\n{shared}  two: *all\n  three:\n    signal: *key\n"
    config_file.parent.mkdir()
    config_file.write_text(text, encoding="utf-8")
    config_file.chmod(0o600)
    result = fresh_cli.run("profile", "set-key", "signal", "-", "-p", "two", input=CORE_KEY)
    assert result.code == 3
    assert 'would also affect the profile "one"; nothing was changed' in result.err
    assert config_text(config_file) == text
    assert [file.name for file in config_file.parent.iterdir()] == ["config.yaml"]
    assert fresh_cli.run("profile", "set-key", "signal", "-", "-p", "three", input=CORE_KEY).code == 0
    assert "an-old-signal-key" in config_text(config_file)


def test_without_a_profile_every_command_says_in_one_line_what_to_do(fresh_cli: CliEnvironment, invoke: Invoke) -> None:
    for arguments in (
        ("whoami",),
        ("orders", "list"),
        ("outbox", "list"),
        ("profile", "set-key", "core"),
        ("profile", "use", "x"),
    ):
        result = invoke(fresh_cli, *arguments, CPCTL_CONFIG=None)
        assert (result.code, result.out) == (3, ""), arguments
        assert len(result.err.splitlines()) == 1
        assert result.err.endswith("`cpctl profile init` creates one.\n")


def test_the_profile_is_kept_if_the_service_cannot_be_reached(
    fresh_cli: CliEnvironment, invoke: Invoke, config_file: Path, core_key_file: Path
) -> None:
    arguments = (
        "home",
        "--environment",
        "live",
        "--base-url",
        UNREACHABLE_URL,
        "--core-key-file",
        "core.key",
        "--later",
        "signal",
    )
    result = invoke(fresh_cli, *INIT_COMMAND, *arguments, "-o", "json")
    assert result.code == 0
    assert result.data["keys"][0]["verdict"] == "not checked"
    assert config_file.exists()


def test_only_one_of_several_processes_creates_the_same_profile(fresh_cli: CliEnvironment) -> None:
    running = [fresh_cli.start(*INIT_COMMAND, "home", *LIVE_OPTIONS) for _ in range(6)]
    for process in running:
        process.communicate(timeout=60)
    assert sorted(process.returncode for process in running) == [0, 6, 6, 6, 6, 6]
    assert len(fresh_cli.run_json("profile", "list")) == 1
