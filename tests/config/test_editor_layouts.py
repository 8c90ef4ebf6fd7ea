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

CONFIG_FILE = Path("config.yaml")
INLINE_KEYS = ("{api_key: abcdefghij}", "  { api_key:  'abcdefghij' } # typed", "{api_key_file: f.key}")
NESTED_KEYS = ("api_key: abcdefghij", 'api_key: "abcdefghij" # typed', "api_key_command: [a, 'b c']", "api_key_file: g")


def random_layout(rng: random.Random) -> tuple[str, list[str]]:
    """A right configuration with indentation, comments and empty lines as they may come, and its profiles."""
    lines: list[str] = []
    outer, inner = rng.choice([1, 2, 3, 4, 8]), rng.choice([1, 2, 4])
    names = rng.sample(["a", "b", '"c d"', "'on'", "b-7"], rng.randint(1, 4))

    def perhaps(indent: int) -> None:
        lines.extend([" " * indent + f"# note {rng.randrange(1000)}"] * (rng.random() < 0.3))
        lines.extend([""] * (rng.random() < 0.2))

    def one_setting(what: str, at: str) -> list[str]:
        if what in ("core", "signal") and rng.random() < 0.5:
            return [f"{at}{what}: {rng.choice(INLINE_KEYS)}"]
        if what in ("core", "signal"):
            deeper = at + " " * rng.choice([1, 2, 5])
            note = [f"{deeper}# within"] * (rng.random() < 0.3)
            return [f"{at}{what}:{rng.choice(['', ' # s'])}", *note, deeper + rng.choice(NESTED_KEYS)]
        if what == "carriers":
            below = [f"{at}carriers:", f"{at}{rng.choice(['', '  '])}- ups # brown"]
            return rng.choice([below, [f"{at}carriers: [ups,   dhl-de]"]])
        folded = [f"{at}shipping_option: >-", f"{at}  GLS", f"{at}  two"]
        return folded if what == "shipping_option" else [f"{at}timeout:   007"]

    perhaps(0)
    lines.append(f"default_profile: {names[0]}{rng.choice(['', '   # x'])}")
    lines.append(f"profiles:{rng.choice(['', ' # all', '  '])}")
    for name in names:
        perhaps(outer)
        lines.append(" " * outer + f"{name}:{rng.choice(['', '  # p'])}")
        settings = ["core", "signal", "carriers", "shipping_option", "timeout"]
        for what in rng.sample(settings, rng.randint(1, 5)):
            perhaps(outer + inner)
            lines.extend(one_setting(what, " " * (outer + inner)))
        perhaps(outer)
    perhaps(0)
    return "\n".join(lines) + rng.choice(["", "\n"]), [name.strip("\"'") for name in names]


def read_configuration(text: str) -> Configuration:
    return parse_configuration(parse_yaml(text, CONFIG_FILE))


def removed_lines(old: str, new: str) -> list[str]:
    """The lines of the old text that the new one has not."""
    compared = difflib.ndiff(old.splitlines(), new.splitlines())
    return [line[2:] for line in compared if line.startswith("- ") and line[2:].strip()]


@pytest.mark.parametrize("seed", range(150))
def test_a_change_touches_the_lines_that_it_is_about(seed: int) -> None:
    chance = random.Random(seed)
    text, names = random_layout(chance)
    before, who = read_configuration(text), chance.choice(names)
    added = with_profile(text, "new", {"environment": "live", "core": {"api_key_file": "new.core.key"}}, None)
    default = with_default(text, who)
    key = with_key_file(text, who, chance.choice(["core", "signal", "webhooks"]), "z.key")
    for changed, profile, most in ((added, "new", 0), (default, "", 1), (key, who, 3)):
        after = read_configuration(changed)
        assert len(removed_lines(text, changed)) <= most, changed
        assert {"# note" in line for line in removed_lines(text, changed)} <= {False}
        for name, node in before.profiles.items():
            assert name == profile or _plain_value(after.profiles[name]) == _plain_value(node)
        check_profile(after, profile or who)
    assert read_configuration(default).default == who


def test_a_name_that_is_a_number_must_stand_in_quotes() -> None:
    text = "profiles:\n  007:\n    core: {api_key: abcdefghij}\n"
    with pytest.raises(ConfigError, match="007 must stand in quotes"):
        with_key_file(text, "007", "core", "z.key")
