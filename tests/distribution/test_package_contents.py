"""The contents of the wheel, the sdist and cpctl.pyz."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from package_builds import DISTRIBUTION, PYTHON_VERSIONS, ROOT, wheel_path

from cpctl import __version__
from tools.docs.manual_pages import render_manual_pages

COMPLETIONS = {
    "share/bash-completion/completions/cpctl": "cpctl.bash",
    "share/zsh/site-functions/_cpctl": "_cpctl",
    "share/fish/vendor_completions.d/cpctl.fish": "cpctl.fish",
}


def zip_contents(file: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_contents(dist: Path) -> Mapping[str, bytes]:
    with tarfile.open(dist / f"{DISTRIBUTION}.tar.gz") as archive:
        files = [member for member in archive if member.isfile()]
        return {member.name.removeprefix(f"{DISTRIBUTION}/"): archive.extractfile(member).read() for member in files}  # type: ignore[union-attr]


def test_the_wheel_holds_the_whole_program_and_nothing_else(dist_folder: Path) -> None:
    content = zip_contents(wheel_path(dist_folder))
    packed = {name for name in content if name.startswith("cpctl/")}
    tree = {file.relative_to(ROOT).as_posix() for file in (ROOT / "cpctl").rglob("*") if file.is_file()}
    assert packed == {name for name in tree if not name.endswith(".pyc")}
    assert "cpctl/py.typed" in packed
    metadata, share = f"{DISTRIBUTION}.dist-info/", f"{DISTRIBUTION}.data/data/share/"
    assert all(name.startswith(("cpctl/", metadata, share)) for name in content)
    assert content[f"{metadata}entry_points.txt"].decode().split() == [
        "[console_scripts]", "cpctl", "=", "cpctl.__main__:run",
    ]  # fmt: skip
    assert content[f"{metadata}licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_installs_completions_where_shells_look_for_them(dist_folder: Path) -> None:
    content = zip_contents(wheel_path(dist_folder))
    for place, name in COMPLETIONS.items():
        assert content[f"{DISTRIBUTION}.data/data/{place}"] == (ROOT / "completions" / name).read_bytes()


def test_the_wheel_installs_manual_pages_where_man_looks_for_them(dist_folder: Path) -> None:
    content = zip_contents(wheel_path(dist_folder))
    for page, text in render_manual_pages():
        assert content[f"{DISTRIBUTION}.data/data/share/man/{page.as_posix()}"] == text.encode()


def test_no_package_names_paths_of_the_machine_that_built_it(dist_folder: Path) -> None:
    for content in (zip_contents(wheel_path(dist_folder)), sdist_contents(dist_folder)):
        for name, data in content.items():
            for path in {ROOT, Path(sys.prefix), dist_folder}:
                assert str(path).encode() not in data, name


def test_the_zipapp_names_no_paths_of_the_machine_either(zipapp: Path) -> None:
    outer = zip_contents(zipapp)
    assert set(outer) == {"__main__.py", "digest", "content.zip"}
    with zipfile.ZipFile(BytesIO(outer["content.zip"])) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert "cpctl/__main__.py" in content
    assert not [name for name in content if name.endswith((".so", ".pyc", "RECORD", "direct_url.json"))]
    for name, data in content.items():
        for path in {ROOT, Path(sys.prefix), zipapp.parent}:
            assert str(path).encode() not in data, name


def test_the_sdist_builds_the_same_wheel(dist_folder: Path, tmp_path: Path) -> None:
    """`make dist` builds the wheel from the sdist; this one is built from the tree."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    assert wheel_path(tmp_path).read_bytes() == wheel_path(dist_folder).read_bytes()


def test_the_tests_in_the_sdist_run(dist_folder: Path, tmp_path: Path) -> None:
    with tarfile.open(dist_folder / f"{DISTRIBUTION}.tar.gz") as archive:
        # Python 3.11.2 has no extraction filters; later ones insist on one.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    files = ["tests/signals", "tests/documentation/test_generated_files.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", "bodies or link or make"]
    done = subprocess.run(command, cwd=tmp_path / DISTRIBUTION, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_version_number_is_written_in_one_place() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    texts += [*(ROOT / "completions").iterdir(), *(ROOT / "examples").iterdir(), *(ROOT / "cpctl").rglob("*.py")]
    number = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    found = {file.name for file in texts if file.is_file() and number.search(file.read_text(encoding="utf-8"))}
    assert found <= {"__init__.py", "CHANGELOG.md"}
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading and heading[1] == __version__


@pytest.mark.parametrize("version", PYTHON_VERSIONS)
def test_every_tested_python_is_declared(version: str) -> None:
    assert f'"Programming Language :: Python :: {version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
