"""The completion cache: references that commands have shown."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.cli.completion.hint_cache import (
    MAX_PER_KIND,
    PROFILES_FILE,
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
    """An environment with its cache in the folder `cache`."""
    return CliEnvironment(cli.folder, cli.process_environment(CPCTL_CACHE_DIR=str(cli.folder / "cache")))


def cache_files(cli: CliEnvironment) -> list[Path]:
    return sorted((cli.folder / "cache").glob("*"))


def cached_values(cli: CliEnvironment, kind: str, *line: str) -> list[str]:
    """The candidates of a kind that a shell gets."""
    return [row.split("\t")[0] for row in cli.run("__complete", kind, *line).out.splitlines()]


def test_only_the_owner_can_read_the_cache(cli_with_cache: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli_with_cache, "orders", "list")
    (file,) = cache_files(cli_with_cache)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    text = file.read_text(encoding="utf-8")
    assert "orders\torder-1\tuploaded\n" in text
    assert "apikey" not in text


def test_the_cache_is_in_the_users_cache_folder(cli: CliEnvironment) -> None:
    cli.run_json("orders", "list", XDG_CACHE_HOME=str(cli.folder / "xdg"))
    assert [path.parent.name for path in (cli.folder / "xdg").rglob("*.tsv")] == ["cpctl"]


@pytest.mark.parametrize("command", ["orders list", "products info textbook_pb_a4_p_bw", "catalogs list"])
def test_a_dry_run_caches_nothing(cli_with_cache: CliEnvironment, invoke: Invoke, command: str) -> None:
    assert invoke(cli_with_cache, *command.split(), "--dry-run").code == 0
    assert not cache_files(cli_with_cache)


def test_a_failed_call_caches_nothing(cli_with_cache: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli_with_cache, "orders", "info", "no-such-order").code == 9
    assert not cache_files(cli_with_cache)


def test_a_command_works_without_a_writable_cache(cli_with_cache: CliEnvironment) -> None:
    (cli_with_cache.folder / "cache").write_text("in the way", encoding="utf-8")
    result = cli_with_cache.run("orders", "list", "-o", "json")
    assert (result.code, len(result.data), result.err) == (0, 2, "")


def test_references_are_cached_even_if_the_pipe_is_closed(cli_with_cache: CliEnvironment) -> None:
    line = " ".join(f"'{each}'" for each in cli_with_cache.command_line("orders", "list"))
    subprocess.run(["sh", "-c", f"{line} | true"], env=cli_with_cache.process_environment(), check=False)
    assert cache_files(cli_with_cache)


def test_profiles_and_configurations_have_separate_caches(
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
    assert len([file for file in cache_files(cli_with_cache) if file.suffix == ".tsv"]) == 2


def test_a_list_replaces_the_cached_references_and_a_single_one_is_added(
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
def test_a_change_is_cached_only_if_the_service_counts_it(done: int, known: list[str]) -> None:
    before = [CachedCandidate("catalogs", "catalog_1")]
    answer = {"status": {"catalogs": {"added": done, "skipped": 0}}}
    after = update_hints(before, "catalogs/add", {"catalog_reference": "catalog_2", "name": "Second"}, answer)
    assert [each.text for each in after] == known


def test_hints_of_a_long_list_are_the_newest_orders_and_the_newest_open_ones() -> None:
    orders = [
        {"reference": str(n), "order_date": f"2026-01-01 {n:05d}", "state": 100 if n >= 10 else 45}
        for n in range(MAX_PER_KIND * 2)
    ]
    hints = update_hints([], "orders", {}, orders)
    newest = [str(n) for n in reversed(range(MAX_PER_KIND, MAX_PER_KIND * 2))]
    assert [each.text for each in hints if each.kind == "orders"][:MAX_PER_KIND] == newest
    assert [each.text for each in hints if each.kind == "open-orders"] == [str(n) for n in reversed(range(10))]
    assert len(hints) < MAX_PER_KIND + 50


def test_unsafe_texts_are_not_cached() -> None:
    assert is_completable("order 1")
    for text in ("", "-", "--", "a\tb", "a\nb", "\x1b[31m", "x" * 129, None, 7, "\ud800", "a\u202eb"):
        assert not is_completable(text)


def test_a_description_is_one_short_line() -> None:
    assert format_description("two\nlines\tand \x1b[31m red") == "two lines and [31m red"
    assert len(format_description("x" * 1000)) == 60
    assert format_description(None) == ""


def test_the_number_of_cached_references_is_limited(tmp_path: Path) -> None:
    file = cache_path(tmp_path / "new", "a/../b: c", Path("config.yaml"))
    assert file.parent == tmp_path / "new"
    numbers = [CachedCandidate("orders", str(number)) for number in range(MAX_PER_KIND + 1)]
    write_cache(file, [*numbers, CachedCandidate("levels", "cp_fast", "Fast")])
    assert read_cache(file) == [*numbers[:MAX_PER_KIND], CachedCandidate("levels", "cp_fast", "Fast")]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_intact_lines_of_a_damaged_cache_are_used(tmp_path: Path) -> None:
    file = tmp_path / "words.tsv"
    file.write_bytes(b"orders\t1\t\norders\n\xff\xfe\t\t\t\nlevels\tfast\tFast")
    assert read_cache(file) == [CachedCandidate("orders", "1"), CachedCandidate("levels", "fast", "Fast")]


def test_sandbox_run_does_not_change_the_cache(cli_with_cache: CliEnvironment) -> None:
    assert cli_with_cache.run("sandbox", "run", "--", *cli_with_cache.command_line("orders", "list")).code == 0
    assert not cache_files(cli_with_cache)


def test_profiles_are_cached_without_keys_for_the_owner_only(cli_with_cache: CliEnvironment) -> None:
    assert cached_values(cli_with_cache, "profiles") == ["sandbox"]
    (file,) = cache_files(cli_with_cache)
    assert (file.name, file.stat().st_mode & 0o777) == (PROFILES_FILE, 0o600)
    stamp, *rows = file.read_text(encoding="utf-8").split("\n")
    assert stamp.startswith(f"{cli_with_cache.config}\t")
    assert rows == ["sandbox\t\t"]


def test_a_change_of_the_configuration_is_seen_by_the_next_tab(cli_with_cache: CliEnvironment) -> None:
    cli_with_cache.configure("profiles:\n  one: {}\n")
    assert cached_values(cli_with_cache, "profiles") == ["one"]
    times = cli_with_cache.config.stat()
    cli_with_cache.configure("profiles:\n  two: {}\n")
    os.utime(cli_with_cache.config, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cached_values(cli_with_cache, "profiles") == ["two"]
    cli_with_cache.config.chmod(0o644)  # a configuration that others can read is refused
    assert cached_values(cli_with_cache, "profiles") == []
    cli_with_cache.config.unlink()
    assert cached_values(cli_with_cache, "profiles") == []


def test_cached_profiles_choose_the_same_store_as_a_command(cli_with_cache: CliEnvironment) -> None:
    def report(item: str, *options: str, **changes: str) -> None:
        result = cli_with_cache.run("signal", "packed", item, "--order", "10", "--queue-only", *options, **changes)
        assert result.code == 0, result.err

    def items(*line: str, **changes: str) -> list[str]:
        result = cli_with_cache.run("__complete", "items", *line, **changes)
        return [row.split("\t")[0] for row in result.out.splitlines()]

    keys = "signal: {api_key: 0123456789abcdef}"
    cli_with_cache.configure(
        f"default_profile: one\nprofiles:\n  one: {{{keys}}}\n  two: {{{keys}, store: below/two.db}}\n"
    )
    other = {"CPCTL_STORE": str(cli_with_cache.folder / "other.db")}
    report("11")
    report("12", "-p", "two")
    report("13", **other)
    for _ in range(2):  # with the configuration, then with the cache
        assert items() == ["11"]
        assert items("-p", "two") == items(CPCTL_PROFILE="two") == ["12"]
        assert items(**other) == ["13"]
        assert items(CPCTL_DATA_DIR=str(cli_with_cache.folder / "empty")) == []
        assert items("-p", "three") == items("-p", "three", **other) == []


def test_a_damaged_or_unwritable_cache_of_profiles_does_no_harm(cli_with_cache: CliEnvironment) -> None:
    folder = cli_with_cache.folder / "cache"
    cached_values(cli_with_cache, "profiles")
    whole = (folder / PROFILES_FILE).read_bytes()
    for damaged in (b"", b"\xff\n", whole[:-1], whole + b"\nx"):
        (folder / PROFILES_FILE).write_bytes(damaged)
        assert cached_values(cli_with_cache, "profiles") == ["sandbox"]
        assert (folder / PROFILES_FILE).read_bytes() == whole
    (folder / PROFILES_FILE).unlink()
    folder.rmdir()
    folder.write_text("in the way", encoding="utf-8")
    assert cached_values(cli_with_cache, "profiles") == ["sandbox"]
