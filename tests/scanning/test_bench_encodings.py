"""The bench on terminals and pipes that do not speak UTF-8."""

import json

from bench_terminal import at_bench
from worlds import ITEM, ORDER, World


def test_the_bench_runs_on_a_terminal_without_utf8(world: World) -> None:
    words = ("--type", "packed", "--order", ORDER, "--hold", "0s", "--sound", "none")
    with at_bench(world, *words, PYTHONIOENCODING="ascii", PYTHONUTF8="0") as bench:
        bench.until("codes: UNDO")
        bench.scan(ITEM, "OK")
        bench.send("CPCTLSTOP")
        assert bench.end() == 0
        assert all(byte < 128 for byte in bench.raw)
        assert b"------" in bench.raw
        assert b"########" in bench.raw
        assert b"?" not in bench.raw.replace(b"\x1b[?", b"")
    assert [row["item"] for row in world.json("signal", "history")] == [ITEM]


def test_json_of_the_bench_is_utf8_in_a_pipe(world: World) -> None:
    words = ("signal", "scan", "--type", "packed", "--order", ORDER, "--hold", "0s", "-o", "json")
    result = world.run(*words, input="Größe\n", PYTHONIOENCODING="cp1252")
    assert [json.loads(line)["code"] for line in result.out.splitlines()] == ["Größe"]
