"""Whatever way people lay out their configuration, a change touches the lines that it is about."""

import difflib
import random
from pathlib import Path

import pytest

from cpctl.config.changes import _plain_value
from cpctl.config.profiles import Configuration, check_profile, parse_configuration
from cpctl.config.yaml_editor import with_default, with_key_file, with_profile
from cpctl.config.yaml_reader import parse_yaml
from cpctl.errors import ConfigError

FILE = Path("config.yaml")
KEYS = ("{api_key: abcdefghij}", "  { api_key:  'abcdefghij' } # typed", "{api_key_file: f.key}")
BELOW = ("api_key: abcdefghij", 'api_key: "abcdefghij" # typed', "api_key_command: [a, 'b c']", "api_key_file: g")


def laid_out(chance: random.Random) -> tuple[str, list[str]]:
    """A right configuration with indentation, comments and empty lines as they may come, and its profiles."""
    lines: list[str] = []
    outer, inner = chance.choice([1, 2, 3, 4, 8]), chance.choice([1, 2, 4])
    names = chance.sample(["a", "b", '"c d"', "'on'", "b-7"], chance.randint(1, 4))

    def perhaps(indent: int) -> None:
        lines.extend([" " * indent + f"# note {chance.randrange(1000)}"] * (chance.random() < 0.3))
        lines.extend([""] * (chance.random() < 0.2))

    def one_setting(what: str, at: str) -> list[str]:
        if what in ("core", "signal") and chance.random() < 0.5:
            return [f"{at}{what}: {chance.choice(KEYS)}"]
        if what in ("core", "signal"):
            deeper = at + " " * chance.choice([1, 2, 5])
            note = [f"{deeper}# within"] * (chance.random() < 0.3)
            return [f"{at}{what}:{chance.choice(['', ' # s'])}", *note, deeper + chance.choice(BELOW)]
        if what == "carriers":
            below = [f"{at}carriers:", f"{at}{chance.choice(['', '  '])}- ups # brown"]
            return chance.choice([below, [f"{at}carriers: [ups,   dhl-de]"]])
        folded = [f"{at}shipping_option: >-", f"{at}  GLS", f"{at}  two"]
        return folded if what == "shipping_option" else [f"{at}timeout:   007"]

    perhaps(0)
    lines.append(f"default_profile: {names[0]}{chance.choice(['', '   # x'])}")
    lines.append(f"profiles:{chance.choice(['', ' # all', '  '])}")
    for name in names:
        perhaps(outer)
        lines.append(" " * outer + f"{name}:{chance.choice(['', '  # p'])}")
        settings = ["core", "signal", "carriers", "shipping_option", "timeout"]
        for what in chance.sample(settings, chance.randint(1, 5)):
            perhaps(outer + inner)
            lines.extend(one_setting(what, " " * (outer + inner)))
        perhaps(outer)
    perhaps(0)
    return "\n".join(lines) + chance.choice(["", "\n"]), [name.strip("\"'") for name in names]


def read(text: str) -> Configuration:
    return parse_configuration(parse_yaml(text, FILE))


def taken_out(old: str, new: str) -> list[str]:
    """The lines of the old text that the new one has not."""
    compared = difflib.ndiff(old.splitlines(), new.splitlines())
    return [line[2:] for line in compared if line.startswith("- ") and line[2:].strip()]


@pytest.mark.parametrize("seed", range(150))
def test_a_change_touches_the_lines_that_it_is_about(seed: int) -> None:
    chance = random.Random(seed)
    text, names = laid_out(chance)
    before, who = read(text), chance.choice(names)
    added = with_profile(text, "new", {"environment": "live", "core": {"api_key_file": "new.core.key"}}, None)
    default = with_default(text, who)
    key = with_key_file(text, who, chance.choice(["core", "signal", "webhooks"]), "z.key")
    for changed, profile, most in ((added, "new", 0), (default, "", 1), (key, who, 3)):
        after = read(changed)
        assert len(taken_out(text, changed)) <= most, changed
        assert {"# note" in line for line in taken_out(text, changed)} <= {False}
        for name, node in before.profiles.items():
            assert name == profile or _plain_value(after.profiles[name]) == _plain_value(node)
        check_profile(after, profile or who)
    assert read(default).default == who


def test_a_name_that_is_a_number_must_stand_in_quotes() -> None:
    text = "profiles:\n  007:\n    core: {api_key: abcdefghij}\n"
    with pytest.raises(ConfigError, match="007 must stand in quotes"):
        with_key_file(text, "007", "core", "z.key")
