"""What is in the wheel, in the sdist and in the one file, and what is not."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from package_builds import ROOT, wheel_path

from cpctl import __version__

COMPLETIONS = {
    "share/bash-completion/completions/cpctl": "cpctl.bash",
    "share/zsh/site-functions/_cpctl": "_cpctl",
    "share/fish/vendor_completions.d/cpctl.fish": "cpctl.fish",
}


def zip_contents(file: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_contents(dist: Path) -> Mapping[str, bytes]:
    base = f"cpctl-{__version__}"
    with tarfile.open(dist / f"{base}.tar.gz") as archive:
        files = [member for member in archive if member.isfile()]
        return {member.name.removeprefix(f"{base}/"): archive.extractfile(member).read() for member in files}  # type: ignore[union-attr]


def test_the_wheel_holds_the_whole_program_and_nothing_else(dist_folder: Path) -> None:
    content = zip_contents(wheel_path(dist_folder))
    ours = {name for name in content if name.startswith("cpctl/")}
    tree = {each.relative_to(ROOT).as_posix() for each in (ROOT / "cpctl").rglob("*") if each.is_file()}
    assert ours == {name for name in tree if not name.endswith(".pyc")}
    assert "cpctl/py.typed" in ours
    about, share = f"cpctl-{__version__}.dist-info/", f"cpctl-{__version__}.data/data/share/"
    assert all(name.startswith(("cpctl/", about, share)) for name in content)
    assert content[f"{about}entry_points.txt"].decode().split() == [
        "[console_scripts]", "cpctl", "=", "cpctl.__main__:run",
    ]  # fmt: skip
    assert content[f"{about}licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_completions_lie_where_shells_look_for_them(dist_folder: Path) -> None:
    content = zip_contents(wheel_path(dist_folder))
    for place, name in COMPLETIONS.items():
        assert content[f"cpctl-{__version__}.data/data/{place}"] == (ROOT / "completions" / name).read_bytes()


def test_no_package_tells_anything_of_the_machine_that_built_it(dist_folder: Path) -> None:
    for content in (zip_contents(wheel_path(dist_folder)), sdist_contents(dist_folder)):
        for name, data in content.items():
            for path in {ROOT, Path(sys.prefix), dist_folder}:
                assert str(path).encode() not in data, name


def test_the_one_file_tells_nothing_of_the_machine_either(zipapp: Path) -> None:
    outer = zip_contents(zipapp)
    assert set(outer) == {"__main__.py", "number", "content.zip"}
    with zipfile.ZipFile(BytesIO(outer["content.zip"])) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert "cpctl/__main__.py" in content
    assert not [name for name in content if name.endswith((".so", ".pyc", "RECORD", "direct_url.json"))]
    for name, data in content.items():
        for path in {ROOT, Path(sys.prefix), zipapp.parent}:
            assert str(path).encode() not in data, name


def test_the_sdist_builds_the_same_wheel(dist_folder: Path, tmp_path: Path) -> None:
    """`make dist` builds the wheel from the sdist; this one comes from the tree."""
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(words, check=True, capture_output=True)
    assert wheel_path(tmp_path).read_bytes() == wheel_path(dist_folder).read_bytes()


def test_the_sdist_runs_its_tests(dist_folder: Path, tmp_path: Path) -> None:
    with tarfile.open(dist_folder / f"cpctl-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / f"cpctl-{__version__}"
    words = [
        "-p",
        "no:cacheprovider",
        "tests/signals",
        "tests/documentation/test_generated_files.py",
        "-k",
        "bodies or link or make_alone",
    ]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_version_stands_in_one_place() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    texts += [*(ROOT / "completions").iterdir(), *(ROOT / "examples").iterdir(), *(ROOT / "cpctl").rglob("*.py")]
    mine = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    found = {file.name for file in texts if file.is_file() and mine.search(file.read_text(encoding="utf-8"))}
    assert found <= {"__init__.py", "CHANGELOG.md"}
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading and heading[1] == __version__


@pytest.mark.parametrize("name", ["3.11", "3.12", "3.13"])
def test_each_python_that_is_named_can_be_tried(name: str) -> None:
    assert f'"Programming Language :: Python :: {name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
