"""cpctl installed from a wheel, with pipx and as cpctl.pyz, on every supported Python."""

import subprocess
import sys
from pathlib import Path

import pytest
from package_builds import ROOT, clean_environment, find_python, run_program, wheel_path

from cpctl import __version__
from cpctl.cli.commands.sandbox import make_launchers

SIGNAL_COMMAND = (
    *("cpctl", "signal", "packed", "123456780001", "--order", "123456780000"),
    *("-o", "value", "--query", "[].state"),
)
IMPORT_ALL_SCRIPT = """
import importlib, pathlib, pkgutil, sys, warnings
warnings.simplefilter("error")
import cpctl
needs_uvicorn = ("cpctl.webhooks.server.http_server", "cpctl.webhooks.server.receiver")
for module in pkgutil.walk_packages(cpctl.__path__, "cpctl."):
    if module.name not in needs_uvicorn:
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
    folders = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_MAN_DIR": str(tmp_path),
    }
    done = run_program([pipx_command, "install", "--quiet", wheel_path(dist_folder)], tmp_path, **folders)
    assert done.returncode == 0, done.stderr
    assert run_program([tmp_path / "bin" / "cpctl", "--version"], tmp_path).stdout == f"cpctl {__version__}\n"
    assert (
        run_program([tmp_path / "bin" / "cpctl", "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path).stdout
        == "delivered\n"
    )


def test_the_zipapp_does_the_main_job_where_nothing_is_installed(
    zipapp: Path, bare_python: Path, tmp_path: Path
) -> None:
    assert run_program([bare_python, zipapp, "--version"], tmp_path).stdout == f"cpctl {__version__}\n"
    done = run_program([bare_python, zipapp, "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "delivered\n", "")
    shown = run_program([bare_python, zipapp, "whoami"], tmp_path, CPCTL_SIGNAL_KEY="0123456789abcdef")
    assert (shown.returncode, shown.stderr) == (0, "")
    (unpacked,) = (tmp_path / ".cache" / "cpctl-unpacked").iterdir()
    assert (unpacked / "certifi" / "cacert.pem").is_file(), "requests needs its certificates in a file"


def test_a_shell_in_the_sandbox_of_the_zipapp_finds_a_cpctl_command(zipapp: Path, tmp_path: Path) -> None:
    script = f"command -v cpctl; {' '.join(SIGNAL_COMMAND[:6])} -o value --query '[].state'; cpctl nonsense 2>/dev/null"
    done = run_program([sys.executable, zipapp, "sandbox", "run", "--", "bash", "-c", script], tmp_path)
    path, state = done.stdout.splitlines()
    assert "cpctl-sandbox-" in path
    assert (state, done.returncode) == ("delivered", 2)


def test_the_sandbox_offers_a_cpctl_command_even_if_none_is_installed(
    zipapp: Path, bare_python: Path, tmp_path: Path
) -> None:
    """As after `pip install --target`: the package can be imported, but there is no command."""
    assert run_program([bare_python, zipapp, "--version"], tmp_path).returncode == 0
    (unpacked,) = (tmp_path / ".cache" / "cpctl-unpacked").iterdir()
    done = run_program(
        [bare_python, "-m", "cpctl", "sandbox", "run", "--", *SIGNAL_COMMAND], tmp_path, PYTHONPATH=str(unpacked)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "delivered\n", "")


def test_first_runs_of_the_zipapp_at_the_same_time_do_not_collide(zipapp: Path, tmp_path: Path) -> None:
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
    results = [run.communicate(timeout=60) for run in runs]
    assert results == [(f"cpctl {__version__}\n", "")] * 4
    assert len(list((tmp_path / ".cache" / "cpctl-unpacked").iterdir())) == 1, "drafts are removed"


def test_the_zipapp_names_the_folder_it_cannot_unpack_to(zipapp: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_program([sys.executable, zipapp, "--version"], tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (3, "")
    assert str(tmp_path / "file") in done.stderr
    assert "Set XDG_CACHE_HOME" in done.stderr


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_the_zipapp_says_that_an_old_python_is_too_old(zipapp: Path, tmp_path: Path, version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    done = run_program([python, zipapp, "--version"], tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"cpctl needs Python 3.11 or later; this is {version}." in done.stderr


def test_the_launcher_of_the_sandbox_passes_on_every_argument() -> None:
    launchers = make_launchers([r"C:\Program Files\100%\python.exe", r"D:\tools\cpctl.pyz"])
    assert launchers["cpctl.cmd"] == '@"C:\\Program Files\\100%%\\python.exe" "D:\\tools\\cpctl.pyz" %*\n'
    assert launchers["cpctl"].endswith('cpctl.pyz\' "$@"\n')


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, "home/.cache"),
        ("darwin", {}, "home/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local"),
        ("win32", {"LOCALAPPDATA": "/local", "XDG_CACHE_HOME": "/named"}, "/named"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "home/.cache"),
    ],
)
def test_the_zipapp_unpacks_itself_to_the_cache_folder_of_its_system(
    platform: str, environment: dict[str, str], folder: str, tmp_path: Path
) -> None:
    script = "import sys; from zipapp_main import cache_folder; sys.platform = sys.argv[1]; print(cache_folder())"
    done = subprocess.run(
        [sys.executable, "-c", script, platform],
        cwd=ROOT / "packaging",
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path / "home"), **environment},
    )
    assert (done.stdout.strip(), done.stderr) == (str(tmp_path / folder), "")
