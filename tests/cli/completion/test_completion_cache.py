"""Words that commands have shown are kept for the next Tab, and for nothing else."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.cli.completion.hint_cache import (
    MAX_PER_KIND,
    CachedCandidate,
    cache_path,
    format_description,
    is_completable,
    read_cache,
    write_cache,
)
from cpctl.cli.completion.hints import update_hints
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment, CliResult, sandbox_configuration

Invoke = Callable[..., CliResult]


@pytest.fixture
def cli_with_cache(cli: CliEnvironment) -> CliEnvironment:
    """A world whose words are kept in a folder that the test knows."""
    return CliEnvironment(cli.folder, cli.process_environment(CPCTL_CACHE_DIR=str(cli.folder / "cache")))


def cache_files(cli: CliEnvironment) -> list[Path]:
    """The files of words that there are."""
    return sorted((cli.folder / "cache").glob("*"))


def cached_values(cli: CliEnvironment, kind: str, *line: str) -> list[str]:
    """The words of a kind, as a shell hears them."""
    return [row.split("\t")[0] for row in cli.run("__complete", kind, *line).out.splitlines()]


def test_words_are_kept_where_only_their_owner_can_read(cli_with_cache: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli_with_cache, "orders", "list")
    (file,) = cache_files(cli_with_cache)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    text = file.read_text(encoding="utf-8")
    assert "orders\torder-1\tuploaded\n" in text
    assert "apikey" not in text


def test_words_are_kept_in_the_users_cache_folder(cli: CliEnvironment) -> None:
    cli.run_json("orders", "list", XDG_CACHE_HOME=str(cli.folder / "xdg"))
    assert [path.parent.name for path in (cli.folder / "xdg").rglob("*.tsv")] == ["cpctl"]


@pytest.mark.parametrize("command", ["orders list", "products info textbook_pb_a4_p_bw", "catalogs list"])
def test_a_dry_run_keeps_nothing(cli_with_cache: CliEnvironment, invoke: Invoke, command: str) -> None:
    assert invoke(cli_with_cache, *command.split(), "--dry-run").code == 0
    assert not cache_files(cli_with_cache)


def test_a_call_that_fails_teaches_nothing(cli_with_cache: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli_with_cache, "orders", "info", "no-such-order").code == 9
    assert not cache_files(cli_with_cache)


def test_where_words_cannot_be_kept_the_command_works_as_ever(cli_with_cache: CliEnvironment) -> None:
    (cli_with_cache.folder / "cache").write_text("in the way", encoding="utf-8")
    result = cli_with_cache.run("orders", "list", "-o", "json")
    assert (result.code, len(result.data), result.err) == (0, 2, "")


def test_words_are_kept_although_the_reader_went_away(cli_with_cache: CliEnvironment) -> None:
    line = " ".join(f"'{each}'" for each in cli_with_cache.command_line("orders", "list"))
    subprocess.run(["sh", "-c", f"{line} | true"], env=cli_with_cache.process_environment(), check=False)
    assert cache_files(cli_with_cache)


def test_two_profiles_and_two_configurations_are_kept_apart(
    cli_with_cache: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    other = cli_with_cache.folder / "other.yaml"
    other.write_text(sandbox_configuration(sandbox.base_url).replace("  sandbox:", "  second:"), encoding="utf-8")
    other.chmod(0o600)
    same = cli_with_cache.folder / "same.yaml"
    same.write_text(sandbox_configuration(sandbox.base_url), encoding="utf-8")
    same.chmod(0o600)
    invoke(cli_with_cache, "catalogs", "list", "--config", str(other))
    invoke(cli_with_cache, "catalogs", "list", "--config", str(same))
    assert cached_values(cli_with_cache, "catalogs") == []
    assert "catalog_1" in cached_values(cli_with_cache, "catalogs", "--config", str(other))
    assert "catalog_1" in cached_values(cli_with_cache, "catalogs", f"--config={same}", "--profile", "sandbox")
    assert len(cache_files(cli_with_cache)) == 2


def test_a_list_replaces_what_was_known_and_one_thing_adds_to_it(
    cli_with_cache: CliEnvironment, invoke: Invoke
) -> None:
    invoke(cli_with_cache, "catalogs", "list")
    invoke(cli_with_cache, "catalogs", "add", "spring", "--name", "Spring", "--note", "new")
    assert cached_values(cli_with_cache, "catalogs")[0] == "spring"
    assert {"catalog_1", "catalog_2"} < set(cached_values(cli_with_cache, "catalogs"))
    invoke(cli_with_cache, "catalogs", "remove", "catalog_2", "--yes")
    assert "catalog_2" not in cached_values(cli_with_cache, "catalogs")
    invoke(cli_with_cache, "products", "list")
    assert "spring" in cached_values(cli_with_cache, "catalogs")


@pytest.mark.parametrize(("done", "known"), [(1, ["catalog_2", "catalog_1"]), (0, ["catalog_1"])])
def test_a_change_teaches_what_the_service_counts_as_done(done: int, known: list[str]) -> None:
    before = [CachedCandidate("catalogs", "catalog_1")]
    answer = {"status": {"catalogs": {"added": done, "skipped": 0}}}
    after = update_hints(before, "catalogs/add", {"catalog_reference": "catalog_2", "name": "Second"}, answer)
    assert [each.text for each in after] == known


def test_what_is_no_word_is_not_kept() -> None:
    assert is_completable("order 1")
    for text in ("", "-", "--", "a\tb", "a\nb", "\x1b[31m", "x" * 129, None, 7, "\ud800", "a\u202eb"):
        assert not is_completable(text)


def test_a_sentence_is_one_short_line() -> None:
    assert format_description("two\nlines\tand \x1b[31m red") == "two lines and [31m red"
    assert len(format_description("x" * 1000)) == 60
    assert format_description(None) == ""


def test_so_many_words_of_a_kind_are_kept_and_no_more(tmp_path: Path) -> None:
    file = cache_path(tmp_path / "new", "a/../b: c", Path("config.yaml"))
    assert file.parent == tmp_path / "new"
    numbers = [CachedCandidate("orders", str(number)) for number in range(MAX_PER_KIND + 1)]
    write_cache(file, [*numbers, CachedCandidate("levels", "cp_fast", "Fast")])
    assert read_cache(file) == [*numbers[:MAX_PER_KIND], CachedCandidate("levels", "cp_fast", "Fast")]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_of_words_that_was_damaged_gives_what_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "words.tsv"
    file.write_bytes(b"orders\t1\t\norders\n\xff\xfe\t\t\t\nlevels\tfast\tFast")
    assert read_cache(file) == [CachedCandidate("orders", "1"), CachedCandidate("levels", "fast", "Fast")]


def test_a_sandbox_of_its_own_keeps_its_words_to_itself(cli_with_cache: CliEnvironment) -> None:
    assert cli_with_cache.run("sandbox", "run", "--", *cli_with_cache.command_line("orders", "list")).code == 0
    assert not cache_files(cli_with_cache)
