"""cpctl as people get it: from a wheel, by pipx, as one file; on every Python that is named."""

import subprocess
import sys
from pathlib import Path

import pytest
from package_builds import ROOT, clean_environment, find_python, run_program, wheel_path

from cpctl import __version__
from cpctl.cli.commands.sandbox.run import make_launchers

SIGNAL_COMMAND = (
    "cpctl",
    "signal",
    "packed",
    "123456780001",
    "--order",
    "123456780000",
    "-o",
    "value",
    "--query",
    "[].state",
)
IMPORT_ALL_SCRIPT = """
import importlib, pathlib, pkgutil, sys, warnings
warnings.simplefilter("error")
import cpctl
extra = ("cpctl.webhooks.server.http_server", "cpctl.webhooks.server.receiver")  # need cpctl[webhooks]
for module in pkgutil.walk_packages(cpctl.__path__, "cpctl."):
    if module.name not in extra:
        importlib.import_module(module.name)
print(len(sys.modules) > 100, pathlib.Path(cpctl.__file__).is_relative_to(sys.argv[1]))
"""


def test_a_wheel_needs_only_what_it_declares(installed_environment: Path, tmp_path: Path) -> None:
    done = run_program(
        [installed_environment / "bin" / "python", "-c", IMPORT_ALL_SCRIPT, installed_environment], tmp_path
    )
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_a_wheel_does_the_main_job(installed_environment: Path, tmp_path: Path) -> None:
    cpctl = installed_environment / "bin" / "cpctl"
    assert run_program([cpctl, "--version"], tmp_path).stdout == f"cpctl {__version__}\n"
    done = run_program([cpctl, "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "delivered\n", "")
    assert (installed_environment / "share" / "bash-completion" / "completions" / "cpctl").is_file()


def test_a_script_in_python_runs_where_the_wheel_is_installed(installed_environment: Path, tmp_path: Path) -> None:
    script = [installed_environment / "bin" / "python", ROOT / "examples" / "report_from_python.py"]
    done = run_program([installed_environment / "bin" / "cpctl", "sandbox", "run", "--", *script], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["123456780001 delivered safe", "123456780002 delivered safe"]


def test_pipx_installs_the_command(pipx_command: Path, dist_folder: Path, tmp_path: Path) -> None:
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "PIPX_MAN_DIR": str(tmp_path)}
    done = run_program([pipx_command, "install", "--quiet", wheel_path(dist_folder)], tmp_path, **places)
    assert done.returncode == 0, done.stderr
    assert run_program([tmp_path / "bin" / "cpctl", "--version"], tmp_path).stdout == f"cpctl {__version__}\n"
    assert (
        run_program([tmp_path / "bin" / "cpctl", "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path).stdout
        == "delivered\n"
    )


# --- one file -------------------------------------------------------------------------------


def test_the_one_file_does_the_main_job_where_nothing_is_installed(
    zipapp: Path, bare_python: Path, tmp_path: Path
) -> None:
    assert run_program([bare_python, zipapp, "--version"], tmp_path).stdout == f"cpctl {__version__}\n"
    done = run_program([bare_python, zipapp, "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "delivered\n", "")
    asked = run_program([bare_python, zipapp, "whoami"], tmp_path, CPCTL_SIGNAL_KEY="0123456789abcdef")
    assert (asked.returncode, asked.stderr) == (0, "")
    (unpacked,) = (tmp_path / ".cache" / "cpctl-unpacked").iterdir()
    assert (unpacked / "certifi" / "cacert.pem").is_file(), "requests needs its certificates on a disk"


def test_the_one_file_gives_its_own_command_to_a_shell_in_the_sandbox(zipapp: Path, tmp_path: Path) -> None:
    script = f"command -v cpctl; {' '.join(SIGNAL_COMMAND[:6])} -o value --query '[].state'; cpctl nonsense 2>/dev/null"
    done = run_program([sys.executable, zipapp, "sandbox", "run", "--", "bash", "-c", script], tmp_path)
    where, state = done.stdout.splitlines()
    assert "cpctl-sandbox-" in where
    assert (state, done.returncode) == ("delivered", 2)


def test_a_cpctl_that_no_command_stands_for_gives_the_sandbox_one(
    zipapp: Path, bare_python: Path, tmp_path: Path
) -> None:
    """As with `pip install --target`: it can be imported, and that is all."""
    assert run_program([bare_python, zipapp, "--version"], tmp_path).returncode == 0
    (unpacked,) = (tmp_path / ".cache" / "cpctl-unpacked").iterdir()
    done = run_program(
        [bare_python, "-m", "cpctl", "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path, PYTHONPATH=str(unpacked)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "delivered\n", "")


def test_first_runs_at_the_same_time_do_not_get_in_each_others_way(zipapp: Path, tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, str(zipapp), "--version"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(tmp_path),
        )
        for _ in range(4)
    ]
    said = [run.communicate(timeout=60) for run in runs]
    assert said == [(f"cpctl {__version__}\n", "")] * 4
    assert len(list((tmp_path / ".cache" / "cpctl-unpacked").iterdir())) == 1, "drafts are taken away"


def test_the_one_file_says_where_it_cannot_unpack_itself(zipapp: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_program([sys.executable, zipapp, "--version"], tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (3, "")
    assert str(tmp_path / "file") in done.stderr
    assert "Set XDG_CACHE_HOME" in done.stderr


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_the_one_file_tells_an_old_python_that_it_is_too_old(zipapp: Path, tmp_path: Path, version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    done = run_program([python, zipapp, "--version"], tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"cpctl needs Python 3.11 or later; this is {version}." in done.stderr


def test_the_command_that_a_sandbox_makes_passes_on_every_word() -> None:
    made = make_launchers([r"C:\Program Files\100%\python.exe", r"D:\tools\cpctl.pyz"])
    assert made["cpctl.cmd"] == '@"C:\\Program Files\\100%%\\python.exe" "D:\\tools\\cpctl.pyz" %*\n'
    assert made["cpctl"].endswith('cpctl.pyz\' "$@"\n')


@pytest.mark.parametrize(
    ("platform", "environment", "place"),
    [
        ("linux", {}, "home/.cache"),
        ("darwin", {}, "home/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local"),
        ("win32", {"LOCALAPPDATA": "/local", "XDG_CACHE_HOME": "/named"}, "/named"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "home/.cache"),
    ],
)
def test_the_one_file_unpacks_itself_where_its_system_keeps_such_things(
    platform: str, environment: dict[str, str], place: str, tmp_path: Path
) -> None:
    script = "import sys; sys.path.insert(0, 'packaging'); from zipapp_main import cache_folder; sys.platform = sys.argv[1]; print(cache_folder())"
    words = [sys.executable, "-c", script, platform]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, env={"HOME": str(tmp_path / "home"), **environment}
    )
    assert (done.stdout.strip(), done.stderr) == (str(tmp_path / place), "")
