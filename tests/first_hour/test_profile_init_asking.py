"""`profile init` at a terminal: as few questions as possible, keys that are never shown, and Ctrl-C that undoes all."""

import os
import shlex
import stat
from pathlib import Path

import pytest
from conversation import CORE, HOOK, SIGNAL, Conversation
from worlds import NOBODY, World

from cpctl.sandbox.server.sandbox_server import Sandbox

INIT = ("profile", "init")


def files_in(folder: Path) -> dict[str, bytes]:
    """Everything that lies in a folder, by name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def type_all(talk: Conversation) -> None:
    """The whole conversation with two keys that are typed."""
    talk.answer("Name of the profile [production]: ", "")
    talk.answer("Environment, live or sandbox [", "sandbox")
    talk.answer("Number [1]: ", "")
    talk.answer("The core key (not shown): ", CORE)
    talk.answer("Number [1]: ", "1")
    talk.answer("The signal key (not shown): ", SIGNAL)
    talk.answer("Number [4]: ", "")
    talk.answer("(may be empty): ", "GLS")


def test_seven_answers_make_a_profile_that_works(fresh: World, sandbox: Sandbox, config: Path) -> None:
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url) as talk:
        type_all(talk)
        assert talk.end() == 0
    assert config.read_text(encoding="utf-8") == (
        "# The configuration of cpctl; `cpctl profile --help` says what can change it.\n"
        "default_profile: production\n"
        "profiles:\n"
        "  production:\n"
        "    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n"
        "    core: {api_key_file: production.core.key}\n"
        "    signal: {api_key_file: production.signal.key}\n"
        "    shipping_option: GLS\n"
    )
    for file, mode in ((config.parent, 0o700), (config, 0o600), (config.parent / "production.core.key", 0o600)):
        assert stat.S_IMODE(file.stat().st_mode) == mode, file
    assert "core key: …0c0e, accepted by the service." in talk.screen
    assert "signal key: …5160, not checked: every call with this key reports something." in talk.screen
    assert "webhooks key: not set; only needed to receive webhooks." in talk.screen
    (read,) = sandbox.state.journal.list_entries()
    assert read["path"] == "/cloudcore/1.0/shipping/levels", "the one call that was made reads"
    assert fresh.run("signal", "packed", "123456780001", "--order", "123456780000", "--require-delivery").code == 0


def test_no_byte_of_a_typed_key_reaches_the_terminal(fresh: World, sandbox: Sandbox) -> None:
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url, "-v", "--debug") as talk:
        type_all(talk)
        assert talk.end() == 0
    for key in (CORE, SIGNAL):
        assert key[:12] not in talk.screen
        assert key[-8:] not in talk.screen


def test_the_commands_it_prints_make_the_same_files_without_a_question(
    fresh: World, sandbox: Sandbox, config: Path
) -> None:
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url) as talk:
        type_all(talk)
        assert talk.end() == 0
    first = files_in(config.parent)
    printed = [line for line in talk.screen.replace("\r\n", "\n").splitlines() if line.startswith("cpctl profile")]
    assert len(printed) == 3
    for file in config.parent.iterdir():
        file.unlink()
    for line in printed:
        words, _, key = line.partition(" < ")
        typed = {"core.key": CORE, "signal.key": SIGNAL}.get(key)
        result = fresh.run(*shlex.split(words)[1:], input=typed)
        assert result.code == 0, result
    assert files_in(config.parent) == first


def test_only_what_no_option_says_is_asked(fresh: World, sandbox: Sandbox, key_file: Path, config: Path) -> None:
    given = ("production", "--environment", "sandbox", "--base-url", sandbox.base_url, "--core-key-file", str(key_file))
    with Conversation(fresh, *INIT, *given, "--later", "webhooks", "--shipping-option", "GLS") as talk:
        talk.answer("Where does the signal key live?", "4")
        assert talk.end() == 0
    assert "Name of the profile" not in talk.screen
    assert "webhooks key live" not in talk.screen
    assert "signal key: not set yet; `cpctl profile set-key signal --profile production` keeps one." in talk.screen
    assert f"core: {{api_key_file: {key_file}}}" in config.read_text(encoding="utf-8")


def test_with_all_options_nothing_is_asked_at_a_terminal_either(fresh: World, sandbox: Sandbox, key_file: Path) -> None:
    given = ("production", "--environment", "sandbox", "--base-url", sandbox.base_url, "--core-key-file", str(key_file))
    with Conversation(fresh, *INIT, *given, "--later", "signal") as talk:
        assert talk.end() == 0
    assert "Enter takes" not in talk.screen
    assert "without questions" not in talk.screen


def test_a_wrong_answer_is_asked_again(fresh: World, key_file: Path, config: Path) -> None:
    (fresh.folder / "open.key").write_text(CORE, encoding="utf-8")
    (fresh.folder / "open.key").chmod(0o644)
    with Conversation(fresh, *INIT, CPCTL_BASE_URL=NOBODY) as talk:
        talk.answer("Name of the profile [production]: ", "two words")
        talk.answer('"two words" must be of letters, digits, dots, - and _', "")
        talk.answer("Environment, live or sandbox [live]: ", "test")
        talk.answer('"test" must be live or sandbox.', "")
        talk.answer("Number [1]: ", "5")
        talk.answer('"5" must be one of 1, 2, 3, 4.', "1")
        talk.answer("The core key (not shown): ", "short")
        talk.until("This: the key has only 5 characters; it is cut off, or no key.")
        talk.answer("The core key (not shown): ", "two words are no key")
        talk.until("This: the key holds a blank")
        talk.answer("The core key (not shown): ", CORE)
        talk.answer("Number [1]: ", "2")
        talk.answer("File of the signal key: ", "nowhere.key")
        talk.until("cannot be read: No such file or directory.")
        talk.answer("File of the signal key: ", "open.key")
        talk.until("can be read by others (its mode is 0644)")
        talk.answer("File of the signal key: ", key_file.name)
        talk.answer("Number [4]: ", "3")
        talk.answer("Command that prints the webhooks key: ", "pass 'show")
        talk.until("is not a command: no closing quotation")
        talk.answer("Command that prints the webhooks key: ", f"echo {HOOK}")
        talk.until("This looks like a key, and keys are not asked for here.")
        talk.answer("Command that prints the webhooks key: ", "cat 'a key'")
        talk.answer("(may be empty): ", "")
        assert talk.end() == 3, "the command that gives no key is said, and kept"
    text = config.read_text(encoding="utf-8")
    assert f"signal: {{api_key_file: {key_file}}}" in text
    assert "webhooks: {api_key_command: [cat, a key]}" in text
    assert "shipping_option" not in text
    assert "core and signal have the same key" in talk.screen


def test_a_key_that_is_pasted_in_place_of_a_name_is_not_taken(fresh: World, config: Path) -> None:
    with Conversation(fresh, *INIT) as talk:
        talk.answer("Name of the profile [production]: ", CORE)
        talk.until("This looks like a key, and keys are not asked for here.")
        talk.press("c")
        assert talk.end() == 130
    assert not config.exists()


STEPS = [
    ("Name of the profile", "home"),
    ("Environment, live or sandbox [", "live"),
    ("Number [1]: ", "1"),
    ("The core key (not shown): ", CORE),
    ("Number [1]: ", "1"),
    ("The signal key (not shown): ", SIGNAL),
    ("Number [4]: ", "1"),
    ("The webhooks key (not shown): ", HOOK),
    ("(may be empty): ", ""),
]


@pytest.mark.parametrize("way", ["ctrl-c", "ctrl-d", "terminated"])
@pytest.mark.parametrize("step", range(len(STEPS)))
def test_stopping_at_any_question_leaves_everything_as_it_was(fresh: World, config: Path, step: int, way: str) -> None:
    config.parent.mkdir()
    config.write_text("# mine\nprofiles:\n  old: {signal: {api_key: some-old-key}}\n", encoding="utf-8")
    config.chmod(0o600)
    before = files_in(fresh.folder)
    with Conversation(fresh, *INIT) as talk:
        for question, text in STEPS[:step]:
            talk.answer(question, text)
        talk.until(STEPS[step][0])
        if way == "terminated":
            talk.terminate()
        else:
            talk.press(way[-1])
        assert talk.end() == {"ctrl-c": 130, "ctrl-d": 2, "terminated": 143}[way]
    assert files_in(fresh.folder) == before


def test_the_terminal_shows_what_is_typed_again_after_an_interruption_in_a_hidden_answer(fresh: World) -> None:
    """Run in a shell of its own, as one that stays is what suffers from a terminal without echo."""
    line = f"{shlex.join(fresh.command('profile', 'set-key', 'core'))}; stty -a | grep -o -- '-*echo '; exit 7"
    fresh.run("profile", "init", "home", "--environment", "live", "--later", "core", "--later", "signal")
    import pexpect

    child = pexpect.spawn(
        "/bin/bash", ["-c", line], env=dict(fresh.env(TERM="xterm")), cwd=str(fresh.folder), timeout=60
    )
    child.expect_exact("(not shown): ")
    child.sendcontrol("c")
    child.expect_exact("Interrupted")
    child.expect_exact("echo ")
    assert b"-" not in child.before[-1:]
    child.expect(pexpect.EOF)
    child.close()


def test_a_refused_key_is_said_and_kept(fresh: World, sandbox: Sandbox, config: Path) -> None:
    sandbox.state.api_keys["core"] = "another-key-altogether"
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url) as talk:
        type_all(talk)
        assert talk.end() == 4
    assert "core key: shipping/levels: the service refused the key (403)" in talk.screen
    assert "the profile is kept; `cpctl profile set-key core --profile production` takes another." in talk.screen
    assert (config.parent / "production.core.key").read_text(encoding="utf-8") == f"{CORE}\n"


def test_a_service_that_is_not_reached_is_said_and_the_profile_is_kept(fresh: World, config: Path) -> None:
    with Conversation(fresh, *INIT, "--base-url", NOBODY) as talk:
        type_all(talk)
        assert talk.end() == 0
    assert "core key: not checked:" in talk.screen
    assert "Connection refused; `cpctl doctor` tries again." in talk.screen
    assert config.exists()


def test_no_check_makes_no_call(fresh: World, sandbox: Sandbox) -> None:
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url, "--no-check") as talk:
        type_all(talk)
        assert talk.end() == 0
    assert sandbox.state.journal.list_entries() == []


def test_a_name_that_is_taken_is_asked_again(fresh: World, sandbox: Sandbox) -> None:
    fresh.run(*INIT, "production", "--environment", "live", "--later", "core", "--later", "signal")
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url) as talk:
        talk.answer("Name of the profile: ", "production")
        talk.until('"production" is taken; choose another.')
        talk.answer("Name of the profile: ", "second")
        talk.answer("Environment, live or sandbox [", "")
        for _ in range(2):
            talk.answer("Number [1]: ", "4")
        talk.answer("Number [4]: ", "")
        talk.answer("(may be empty): ", "")
        assert talk.end() == 0
    assert "`cpctl profile use second` makes it the default." in talk.screen


def test_a_key_file_of_somebody_else_is_never_written_over(fresh: World, sandbox: Sandbox, config: Path) -> None:
    config.parent.mkdir()
    other = config.parent / "production.core.key"
    other.write_text("a key that is not ours", encoding="utf-8")
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url) as talk:
        type_all(talk)
        assert talk.end() == 0
    assert other.read_text(encoding="utf-8") == "a key that is not ours"
    assert "api_key_file: production.core-2.key" in config.read_text(encoding="utf-8")
    assert "accepted by the service" in talk.screen


def test_a_key_in_the_environment_is_the_answer_that_is_offered(fresh: World, sandbox: Sandbox) -> None:
    with Conversation(fresh, *INIT, "--base-url", sandbox.base_url, CPCTL_CORE_KEY=CORE) as talk:
        talk.answer("Name of the profile [production]: ", "")
        talk.answer("Environment, live or sandbox [sandbox]: ", "")
        talk.answer("Number [4]: ", "")
        talk.answer("Number [1]: ", "4")
        talk.answer("Number [4]: ", "")
        talk.answer("(may be empty): ", "")
        assert talk.end() == 0
    assert "core key: …0c0e, accepted by the service." in talk.screen
    assert "CPCTL_CORE_KEY is set in the environment and beats the core key of every profile." in talk.screen


def test_questions_are_talk_and_commands_are_data(fresh: World, sandbox: Sandbox) -> None:
    """Standard output goes to a file; what is in it can be run."""
    import pexpect

    call = shlex.join(fresh.command(*INIT, "--base-url", sandbox.base_url))
    child = pexpect.spawn(
        "/bin/bash", ["-c", f"{call} >out"], env=dict(fresh.env(TERM="xterm")), cwd=str(fresh.folder), timeout=60
    )
    for question, text in [*STEPS[:2], ("Number [1]: ", "4"), ("Number [1]: ", "4"), ("Number [4]: ", "4"), STEPS[-1]]:
        child.expect_exact(question)
        child.sendline(text)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert (fresh.folder / "out").read_text(encoding="utf-8") == (
        f"cpctl profile init home --environment live --base-url {sandbox.base_url}"
        " --later core --later signal --later webhooks\n"
    )


def test_no_input_asks_nothing_at_a_terminal(fresh: World, config: Path) -> None:
    for words, changes in ((("--no-input",), {}), ((), {"CPCTL_NO_INPUT": "1"})):
        with Conversation(fresh, *INIT, *words, **changes) as talk:
            assert talk.end() == 2
        assert "Nobody can be asked here" in talk.screen
    assert not os.path.lexists(config)


@pytest.mark.parametrize(
    ("meanwhile", "code", "said"),
    [
        ("profiles: [\n", 3, "line 2, column 1"),
        ("profiles:\n  home: {}\n", 6, 'There is a profile "home" in'),
    ],
)
def test_what_another_program_wrote_meanwhile_is_seen_and_no_key_is_left_behind(
    fresh: World, config: Path, meanwhile: str, code: int, said: str
) -> None:
    with Conversation(fresh, *INIT) as talk:
        for question, text in STEPS[:-1]:
            talk.answer(question, text)
        talk.until(STEPS[-1][0])
        config.parent.mkdir(mode=0o700)
        config.write_text(meanwhile, encoding="utf-8")
        config.chmod(0o600)
        talk.answer("", "")
        assert talk.end() == code
    assert said in talk.screen
    assert files_in(config.parent) == {"config.yaml": meanwhile.encode()}
