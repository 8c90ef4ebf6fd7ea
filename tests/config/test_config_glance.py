"""A glance at a configuration says what the parser says, or nothing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cpctl.config.config_file import read_configuration
from cpctl.config.profile_names import ProfileSummary, summarize_profiles
from cpctl.errors import CpctlError

ROOT = Path(__file__).parent.parent.parent
TYPICAL_CONFIG = """
# of the shop
default_profile: production  # the press
profiles:
  production:
    signal: {api_key_file: signal.key}
    shipping_option: GLS

  # to try out
  sandbox:
      base_url: http://127.0.0.1:8900
      store: other.db
"""
LINES = [
    *("default_profile: a", "default_profile: null", "default_profile: 'a'", "default_profile:", "profiles:"),
    *("profiles: {a: {}}", "  a:", "  b:", "  'a':", "  a: {}", "  a: # one", "  - a", "   b:", " a:", "  a :"),
    *("  a:b:", "    core: {api_key: x}", "    core:", "      api_key: |", "        profiles:", "  &x a:"),
    *("    store: x", "    station: >", "   long", "", "  ", "# no", "---", "...", "a:", "profiles:  # x", "  b: null"),
]


def test_a_configuration_that_is_written_plainly_is_read_at_a_glance() -> None:
    assert summarize_profiles(TYPICAL_CONFIG) == ProfileSummary(
        "production", ("production", "sandbox"), frozenset({"sandbox"})
    )
    assert summarize_profiles((ROOT / "config.example.yaml").read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize(
    "text",
    [
        "profiles: {a: {}}",
        "profiles:\n  'a b': {}",
        "profiles:\n  ä:",
        "%YAML 1.1\n---\nprofiles:",
        "profiles:\n  *x :",
    ],
)
def test_what_is_written_otherwise_is_left_to_the_parser(text: str) -> None:
    assert summarize_profiles(text) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(LINES), max_size=8))
@example(["profiles:", "  a:", "    core: {api_key: x}", "  b:", "default_profile: a"])
@example(["profiles:", "  a:", "    station: >", "   long", "  b:"])
def test_a_glance_never_says_anything_but_what_the_parser_says(tmp_path: Path, lines: list[str]) -> None:
    seen = summarize_profiles("\n".join(lines))
    if seen is None:
        return
    file = tmp_path / "config.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    file.chmod(0o600)
    try:
        found = read_configuration(str(file), {})
    except CpctlError:
        return  # what is wrong elsewhere, every command says
    assert found is not None
    assert (found.default, tuple(found.profiles)) == (seen.default, seen.profiles)
