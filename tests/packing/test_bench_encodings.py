"""The bench on terminals and pipes without UTF-8."""

import json

from harness.cli_environment import ITEM, ORDER, CliEnvironment
from harness.packing.bench_terminal import open_bench_terminal


def test_the_bench_runs_on_a_terminal_without_utf8(cli: CliEnvironment) -> None:
    arguments = ("--type", "packed", "--order", ORDER, "--hold", "0s", "--sound", "none")
    with open_bench_terminal(cli, *arguments, PYTHONIOENCODING="ascii", PYTHONUTF8="0") as bench:
        bench.wait_for("codes: UNDO")
        bench.scan(ITEM, "OK")
        bench.send_codes("CPCTLEND")
        assert bench.wait_for_exit() == 0
        assert all(byte < 128 for byte in bench.raw_output)
        assert b"------" in bench.raw_output
        assert b"########" in bench.raw_output
        assert b"?" not in bench.raw_output.replace(b"\x1b[?", b"")
    assert [row["item"] for row in cli.run_json("signal", "history")] == [ITEM]


def test_json_of_the_bench_is_utf8_in_a_pipe(cli: CliEnvironment) -> None:
    arguments = ("signal", "scan", "--type", "packed", "--order", ORDER, "--hold", "0s", "-o", "json")
    result = cli.run(*arguments, input="Größe\n", PYTHONIOENCODING="cp1252")
    assert [json.loads(line)["code"] for line in result.out.splitlines()] == ["Größe"]
