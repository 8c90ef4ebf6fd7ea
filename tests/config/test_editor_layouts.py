"""A change of the configuration file keeps comments, order, quoting and values; the layout may change."""

from pathlib import Path

import pytest

from cpctl.config.changes import change_configuration, with_default, with_key_file, with_profile
from cpctl.config.profiles import parse_configuration
from cpctl.errors import ConfigError

EXISTING_CONFIG = """\
# Shop in Kassel.

default_profile: bench   # not the office
profiles: # all of them
    'bench':             # by the door
        environment: "live"
        signal: { api_key: 'an-old-signal-key' }   # since May
        # timeout: 30
        carriers: [ ups,   dhl-de ]
        operator: null # nobody

    # The office never signals.
    007:
        core:
            # of the year 2020
            api_key:   an-old-core-key      # Ben has it, too
        timeout: 007
        station: 1e3
        shipping_option: >-
            GLS
            two
    on: {timeout: 5.0}

# The end.
"""
COMMENTS = [line[line.index("#") :].strip() for line in EXISTING_CONFIG.splitlines() if "#" in line]


def add_profile(text: str) -> str:
    return with_profile(text, "new", {"signal_version": "2.0", "core": {"api_key_file": "new.key"}}, None)


def set_nested_key(text: str) -> str:
    return with_key_file(text, "007", "core", "z.key")


def set_inline_key(text: str) -> str:
    return with_key_file(text, "bench", "signal", "z.key")


def add_key(text: str) -> str:
    return with_key_file(text, "on", "signal", "z.key")


@pytest.mark.parametrize("edit", [add_profile, set_nested_key, set_inline_key, add_key])
def test_a_change_keeps_comments_order_quotes_and_values(edit: object) -> None:
    assert callable(edit)
    changed = edit(EXISTING_CONFIG)
    assert [comment for comment in COMMENTS if comment not in changed] == []
    for written in ("'bench':", 'environment: "live"', "[ups, dhl-de]", "operator: null", "timeout: 007", "1e3", "5.0"):
        assert written in changed
    before = parse_configuration(EXISTING_CONFIG, Path("x")).profiles
    after = parse_configuration(changed, Path("x")).profiles
    assert list(after)[: len(before)] == list(before)
    differing = [name for name in before if after[name].to_plain() != before[name].to_plain()]
    assert differing == {add_profile: [], set_nested_key: ["007"], set_inline_key: ["bench"], add_key: ["on"]}[edit]


def test_a_new_key_file_takes_the_comment_of_the_key_that_it_replaces() -> None:
    assert "api_key_file: z.key" in set_nested_key(EXISTING_CONFIG)
    assert "an-old-core-key" not in set_nested_key(EXISTING_CONFIG)
    (line,) = [line for line in set_nested_key(EXISTING_CONFIG).splitlines() if "z.key" in line]
    assert line.endswith("# Ben has it, too")


def test_a_new_value_that_looks_like_a_number_is_quoted() -> None:
    assert "signal_version: '2.0'" in add_profile(EXISTING_CONFIG)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n# later\n", "profiles:\n", "profiles: {} # none\n"])
def test_an_empty_configuration_gets_its_first_profile(text: str) -> None:
    changed = with_profile(text, "new", {"environment": "live"}, "new")
    assert parse_configuration(changed, Path("x")).default == "new"
    assert all(line in changed for line in text.splitlines() if line.startswith("#"))


def test_the_byte_order_mark_and_windows_line_ends_stay() -> None:
    changed = with_default("\ufeff" + EXISTING_CONFIG.replace("\n", "\r\n"), "on")
    assert changed.startswith("\ufeff# Shop in Kassel.\r\n")
    assert changed.count("\n") == changed.count("\r\n")


SHARED = "profiles:\n  a: &a\n    core: &key {api_key: abcdefghij}\n  b: {core: *key}\n  c: *a\n  d: {<<: *a}\n"


def test_a_key_that_profiles_share_by_an_anchor_changes_in_one_profile_only() -> None:
    changed = parse_configuration(with_key_file(SHARED, "b", "core", "z.key"), Path("x")).profiles
    assert changed["b"].to_plain() == {"core": {"api_key_file": "z.key"}}
    assert changed["a"].to_plain() == {"core": {"api_key": "abcdefghij"}}


@pytest.mark.parametrize("profile", ["a", "c"])
def test_a_change_that_would_affect_another_profile_is_refused(tmp_path: Path, profile: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(SHARED, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="would also affect the profile"):
        change_configuration(file, profile, lambda before, old: with_key_file(old, profile, "core", "z.key"))
    assert file.read_text(encoding="utf-8") == SHARED
