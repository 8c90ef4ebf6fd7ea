"""`profile init` at a terminal: as few questions as possible, keys that are never shown, and Ctrl-C that undoes all."""

import os
import shlex
import stat
from pathlib import Path

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment
from harness.prompt_session import CORE_KEY, SIGNAL_KEY, WEBHOOK_KEY, PromptSession

INIT_COMMAND = ("profile", "init")


def folder_contents(folder: Path) -> dict[str, bytes]:
    """The contents of all files in a folder, by name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def answer_all_prompts(session: PromptSession) -> None:
    """Answer all prompts, typing two keys."""
    session.answer("Name of the profile [production]: ", "")
    session.answer("Environment, live or sandbox [", "sandbox")
    session.answer("Number [1]: ", "")
    session.answer("The core key (not shown): ", CORE_KEY)
    session.answer("Number [1]: ", "1")
    session.answer("The signal key (not shown): ", SIGNAL_KEY)
    session.answer("Number [4]: ", "")
    session.answer("(may be empty): ", "GLS")


def test_seven_answers_create_a_working_profile(fresh_cli: CliEnvironment, sandbox: Sandbox, config_file: Path) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url) as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    assert config_file.read_text(encoding="utf-8") == (
        "# The configuration of cpctl; `cpctl profile --help` lists the commands that change it.\n"
        "default_profile: production\n"
        "profiles:\n"
        "  production:\n"
        "    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n"
        "    core: {api_key_file: production.core.key}\n"
        "    signal: {api_key_file: production.signal.key}\n"
        "    shipping_option: GLS\n"
    )
    for file, mode in (
        (config_file.parent, 0o700),
        (config_file, 0o600),
        (config_file.parent / "production.core.key", 0o600),
    ):
        assert stat.S_IMODE(file.stat().st_mode) == mode, file
    assert "core key: …0c0e, accepted by the service." in talk.raw_output
    assert "signal key: …5160, not checked: every call with this key reports something." in talk.raw_output
    assert "webhooks key: not set; needed only to receive webhooks." in talk.raw_output
    (read,) = sandbox.state.journal.list_entries()
    assert read["path"] == "/cloudcore/1.0/shipping/levels", "the only call is read-only"
    assert fresh_cli.run("signal", "packed", "123456780001", "--order", "123456780000", "--require-delivery").code == 0


def test_no_byte_of_a_typed_key_reaches_the_terminal(fresh_cli: CliEnvironment, sandbox: Sandbox) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url, "-v", "--debug") as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    for key in (CORE_KEY, SIGNAL_KEY):
        assert key[:12] not in talk.raw_output
        assert key[-8:] not in talk.raw_output


def test_the_printed_commands_create_the_same_files_without_prompts(
    fresh_cli: CliEnvironment, sandbox: Sandbox, config_file: Path
) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url) as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    first = folder_contents(config_file.parent)
    printed = [line for line in talk.raw_output.replace("\r\n", "\n").splitlines() if line.startswith("cpctl profile")]
    assert len(printed) == 3
    for file in config_file.parent.iterdir():
        file.unlink()
    for line in printed:
        arguments, _, key = line.partition(" < ")
        typed = {"core.key": CORE_KEY, "signal.key": SIGNAL_KEY}.get(key)
        result = fresh_cli.run(*shlex.split(arguments)[1:], input=typed)
        assert result.code == 0, result
    assert folder_contents(config_file.parent) == first


def test_only_missing_options_are_prompted_for(
    fresh_cli: CliEnvironment, sandbox: Sandbox, core_key_file: Path, config_file: Path
) -> None:
    given = (
        "production",
        "--environment",
        "sandbox",
        "--base-url",
        sandbox.base_url,
        "--core-key-file",
        str(core_key_file),
    )
    with PromptSession(fresh_cli, *INIT_COMMAND, *given, "--later", "webhooks", "--shipping-option", "GLS") as talk:
        talk.answer("Where is the signal key?", "4")
        assert talk.wait_for_exit() == 0
    assert "Name of the profile" not in talk.raw_output
    assert "webhooks key?" not in talk.raw_output
    assert "signal key: not set; add it with `cpctl profile set-key signal --profile production`." in talk.raw_output
    assert f"core: {{api_key_file: {core_key_file}}}" in config_file.read_text(encoding="utf-8")


def test_with_all_options_there_are_no_prompts_at_a_terminal(
    fresh_cli: CliEnvironment, sandbox: Sandbox, core_key_file: Path
) -> None:
    given = (
        "production",
        "--environment",
        "sandbox",
        "--base-url",
        sandbox.base_url,
        "--core-key-file",
        str(core_key_file),
    )
    with PromptSession(fresh_cli, *INIT_COMMAND, *given, "--later", "signal") as talk:
        assert talk.wait_for_exit() == 0
    assert "Enter accepts" not in talk.raw_output
    assert "without prompts" not in talk.raw_output


def test_an_invalid_answer_is_asked_again(fresh_cli: CliEnvironment, core_key_file: Path, config_file: Path) -> None:
    (fresh_cli.folder / "open.key").write_text(CORE_KEY, encoding="utf-8")
    (fresh_cli.folder / "open.key").chmod(0o644)
    with PromptSession(fresh_cli, *INIT_COMMAND, CPCTL_BASE_URL=UNREACHABLE_URL) as talk:
        talk.answer("Name of the profile [production]: ", "two words")
        talk.answer('"two words" must consist of letters, digits, dots, - and _', "")
        talk.answer("Environment, live or sandbox [live]: ", "test")
        talk.answer('"test" must be live or sandbox.', "")
        talk.answer("Number [1]: ", "5")
        talk.answer('"5" must be one of 1, 2, 3, 4.', "1")
        talk.answer("The core key (not shown): ", "short")
        talk.wait_for("This: the key has only 5 characters; it is truncated or not a key.")
        talk.answer("The core key (not shown): ", "two words are no key")
        talk.wait_for("This: the key contains a space")
        talk.answer("The core key (not shown): ", CORE_KEY)
        talk.answer("Number [1]: ", "2")
        talk.answer("File of the signal key: ", "nowhere.key")
        talk.wait_for("cannot be read: No such file or directory.")
        talk.answer("File of the signal key: ", "open.key")
        talk.wait_for("can be read by others (its mode is 0644)")
        talk.answer("File of the signal key: ", core_key_file.name)
        talk.answer("Number [4]: ", "3")
        talk.answer("Command that prints the webhooks key: ", "pass 'show")
        talk.wait_for("is not a command: no closing quotation")
        talk.answer("Command that prints the webhooks key: ", f"echo {WEBHOOK_KEY}")
        talk.wait_for("This looks like a key, and keys are not asked for here.")
        talk.answer("Command that prints the webhooks key: ", "cat 'a key'")
        talk.answer("(may be empty): ", "")
        assert talk.wait_for_exit() == 3, "a command that prints no key is reported, and kept"
    text = config_file.read_text(encoding="utf-8")
    assert f"signal: {{api_key_file: {core_key_file}}}" in text
    assert "webhooks: {api_key_command: [cat, a key]}" in text
    assert "shipping_option" not in text
    assert "core and signal have the same key" in talk.raw_output


def test_a_key_pasted_as_a_name_is_not_accepted(fresh_cli: CliEnvironment, config_file: Path) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND) as talk:
        talk.answer("Name of the profile [production]: ", CORE_KEY)
        talk.wait_for("This looks like a key, and keys are not asked for here.")
        talk.send_control("c")
        assert talk.wait_for_exit() == 130
    assert not config_file.exists()


PROMPTS = [
    ("Name of the profile", "home"),
    ("Environment, live or sandbox [", "live"),
    ("Number [1]: ", "1"),
    ("The core key (not shown): ", CORE_KEY),
    ("Number [1]: ", "1"),
    ("The signal key (not shown): ", SIGNAL_KEY),
    ("Number [4]: ", "1"),
    ("The webhooks key (not shown): ", WEBHOOK_KEY),
    ("(may be empty): ", ""),
]


@pytest.mark.parametrize("stop", ["ctrl-c", "ctrl-d", "terminated"])
@pytest.mark.parametrize("step", range(len(PROMPTS)))
def test_stopping_at_any_prompt_changes_nothing(
    fresh_cli: CliEnvironment, config_file: Path, step: int, stop: str
) -> None:
    config_file.parent.mkdir()
    config_file.write_text("# mine\nprofiles:\n  old: {signal: {api_key: some-old-key}}\n", encoding="utf-8")
    config_file.chmod(0o600)
    before = folder_contents(fresh_cli.folder)
    with PromptSession(fresh_cli, *INIT_COMMAND) as talk:
        for question, text in PROMPTS[:step]:
            talk.answer(question, text)
        talk.wait_for(PROMPTS[step][0])
        if stop == "terminated":
            talk.terminate()
        else:
            talk.send_control(stop[-1])
        assert talk.wait_for_exit() == {"ctrl-c": 130, "ctrl-d": 2, "terminated": 143}[stop]
    assert folder_contents(fresh_cli.folder) == before


def test_the_terminal_echoes_again_after_ctrl_c_in_a_hidden_prompt(
    fresh_cli: CliEnvironment,
) -> None:
    """Run in a shell that stays, because a terminal without echo would affect the shell."""
    line = f"{shlex.join(fresh_cli.command_line('profile', 'set-key', 'core'))}; stty -a | grep -o -- '-*echo '; exit 7"
    fresh_cli.run("profile", "init", "home", "--environment", "live", "--later", "core", "--later", "signal")
    import pexpect

    child = pexpect.spawn(
        "/bin/bash",
        ["-c", line],
        env=dict(fresh_cli.process_environment(TERM="xterm")),
        cwd=str(fresh_cli.folder),
        timeout=60,
    )
    child.expect_exact("(not shown): ")
    child.sendcontrol("c")
    child.expect_exact("Interrupted")
    child.expect_exact("echo ")
    assert b"-" not in child.before[-1:]
    child.expect(pexpect.EOF)
    child.close()


def test_a_refused_key_is_reported_and_kept(fresh_cli: CliEnvironment, sandbox: Sandbox, config_file: Path) -> None:
    sandbox.state.api_keys["core"] = "another-key-altogether"
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url) as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 4
    assert "core key: shipping/levels: the service refused the key (403)" in talk.raw_output
    assert (
        "the profile was written, set another key with `cpctl profile set-key core --profile production`."
        in talk.raw_output
    )
    assert (config_file.parent / "production.core.key").read_text(encoding="utf-8") == f"{CORE_KEY}\n"


def test_an_unreachable_service_is_reported_and_the_profile_is_kept(
    fresh_cli: CliEnvironment, config_file: Path
) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", UNREACHABLE_URL) as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    assert "core key: not checked:" in talk.raw_output
    assert "Connection refused; try again with `cpctl doctor`." in talk.raw_output
    assert config_file.exists()


def test_no_check_makes_no_call(fresh_cli: CliEnvironment, sandbox: Sandbox) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url, "--no-check") as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    assert sandbox.state.journal.list_entries() == []


def test_the_name_of_an_existing_profile_is_asked_again(fresh_cli: CliEnvironment, sandbox: Sandbox) -> None:
    fresh_cli.run(*INIT_COMMAND, "production", "--environment", "live", "--later", "core", "--later", "signal")
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url) as talk:
        talk.answer("Name of the profile: ", "production")
        talk.wait_for('"production" already exists; choose another name.')
        talk.answer("Name of the profile: ", "second")
        talk.answer("Environment, live or sandbox [", "")
        for _ in range(2):
            talk.answer("Number [1]: ", "4")
        talk.answer("Number [4]: ", "")
        talk.answer("(may be empty): ", "")
        assert talk.wait_for_exit() == 0
    assert "`cpctl profile use second` makes it the default." in talk.raw_output


def test_an_existing_key_file_is_never_overwritten(
    fresh_cli: CliEnvironment, sandbox: Sandbox, config_file: Path
) -> None:
    config_file.parent.mkdir()
    other = config_file.parent / "production.core.key"
    other.write_text("a key that is not ours", encoding="utf-8")
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url) as talk:
        answer_all_prompts(talk)
        assert talk.wait_for_exit() == 0
    assert other.read_text(encoding="utf-8") == "a key that is not ours"
    assert "api_key_file: production.core-2.key" in config_file.read_text(encoding="utf-8")
    assert "accepted by the service" in talk.raw_output


def test_a_key_in_the_environment_is_the_default_answer(fresh_cli: CliEnvironment, sandbox: Sandbox) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND, "--base-url", sandbox.base_url, CPCTL_CORE_KEY=CORE_KEY) as talk:
        talk.answer("Name of the profile [production]: ", "")
        talk.answer("Environment, live or sandbox [sandbox]: ", "")
        talk.answer("Number [4]: ", "")
        talk.answer("Number [1]: ", "4")
        talk.answer("Number [4]: ", "")
        talk.answer("(may be empty): ", "")
        assert talk.wait_for_exit() == 0
    assert "core key: …0c0e, accepted by the service." in talk.raw_output
    assert "CPCTL_CORE_KEY is set in the environment and overrides the core key of every profile." in talk.raw_output


def test_prompts_go_to_stderr_and_commands_to_stdout(fresh_cli: CliEnvironment, sandbox: Sandbox) -> None:
    """Standard output is a file that contains only the commands."""
    import pexpect

    call = shlex.join(fresh_cli.command_line(*INIT_COMMAND, "--base-url", sandbox.base_url))
    child = pexpect.spawn(
        "/bin/bash",
        ["-c", f"{call} >out"],
        env=dict(fresh_cli.process_environment(TERM="xterm")),
        cwd=str(fresh_cli.folder),
        timeout=60,
    )
    for question, text in [
        *PROMPTS[:2],
        ("Number [1]: ", "4"),
        ("Number [1]: ", "4"),
        ("Number [4]: ", "4"),
        PROMPTS[-1],
    ]:
        child.expect_exact(question)
        child.sendline(text)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert (fresh_cli.folder / "out").read_text(encoding="utf-8") == (
        f"cpctl profile init home --environment live --base-url {sandbox.base_url}"
        " --later core --later signal --later webhooks\n"
    )


def test_no_input_disables_prompts_at_a_terminal(fresh_cli: CliEnvironment, config_file: Path) -> None:
    for arguments, changes in ((("--no-input",), {}), ((), {"CPCTL_NO_INPUT": "1"})):
        with PromptSession(fresh_cli, *INIT_COMMAND, *arguments, **changes) as talk:
            assert talk.wait_for_exit() == 2
        assert "Cannot prompt" in talk.raw_output
    assert not os.path.lexists(config_file)


@pytest.mark.parametrize(
    ("concurrent", "code", "message"),
    [
        ("profiles: [\n", 3, "line 2, column 1"),
        ("profiles:\n  home: {}\n", 6, 'The profile "home" already exists in'),
    ],
)
def test_a_concurrent_change_is_detected_and_leaves_no_key_file(
    fresh_cli: CliEnvironment, config_file: Path, concurrent: str, code: int, message: str
) -> None:
    with PromptSession(fresh_cli, *INIT_COMMAND) as talk:
        for question, text in PROMPTS[:-1]:
            talk.answer(question, text)
        talk.wait_for(PROMPTS[-1][0])
        config_file.parent.mkdir(mode=0o700)
        config_file.write_text(concurrent, encoding="utf-8")
        config_file.chmod(0o600)
        talk.answer("", "")
        assert talk.wait_for_exit() == code
    assert message in talk.raw_output
    assert folder_contents(config_file.parent) == {"config.yaml": concurrent.encode()}
