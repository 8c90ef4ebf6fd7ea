"""Makes cpctl.pyz, cpctl and what it needs as one file: `python packaging/build_zipapp.py FOLDER`.

FOLDER holds the wheel, and gets the file. It runs on every system and every Python that cpctl
supports: compiled parts, which all of the libraries can do without, are left out. The same wheel
and the same libraries give the same file.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from zipapp_main import CONTENT_NAME, DIGEST_NAME

from cpctl import __version__

ROOT = Path(__file__).parent.parent
SHEBANG = b"#!/usr/bin/env python3\n"
COMPILED_SUFFIXES = (".so", ".pyd", ".dylib")
# What pip notes of its own doings, the paths of this machine among it; and what is no part of a program.
PIP_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
EXCLUDED_FOLDERS = ("bin", "Scripts", "share", "tests", "docs")
FIXED_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def build_zipapp(wheel: Path, target: Path) -> None:
    """Write the one file for a wheel. Raises subprocess.CalledProcessError where pip cannot get the libraries."""
    with tempfile.TemporaryDirectory() as folder:
        install_wheel(wheel, Path(folder))
        content = select_files(Path(folder))
    draft = target.with_suffix(".tmp")
    with draft.open("wb") as written:
        written.write(SHEBANG)
        with zipfile.ZipFile(written, "w") as archive:
            add_file(archive, "__main__.py", (ROOT / "packaging" / "zipapp_main.py").read_bytes())
            add_file(archive, DIGEST_NAME, content_digest(content).encode())
            # One file, not a thousand: Python reads the whole list of an archive at every start.
            add_file(archive, CONTENT_NAME, zip_files(content))
    draft.chmod(0o755)
    draft.replace(target)


def install_wheel(wheel: Path, folder: Path) -> None:
    """The wheel and what it needs, in the versions that cpctl is tested with."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    pinned = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *pinned, "--only-binary", ":all:", "--target", str(folder), str(wheel)], check=True)


def select_files(folder: Path) -> Mapping[str, bytes]:
    """The files that belong in, by their names."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        left_out = file.suffix in COMPILED_SUFFIXES or file.name in PIP_FILES or name.parts[0] in EXCLUDED_FOLDERS
        if file.is_file() and not left_out and "__pycache__" not in name.parts:
            found[name.as_posix()] = file.read_bytes()
    return found


def content_digest(content: Mapping[str, bytes]) -> str:
    """A number that only this content has."""
    whole = hashlib.sha256()
    for name, data in content.items():
        whole.update(f"{name}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()[:16]


def zip_files(content: Mapping[str, bytes]) -> bytes:
    """The files as an archive."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in content.items():
            add_file(archive, name, data)
    return written.getvalue()


def add_file(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Put a file in, without anything that differs from one build to the next."""
    entry = zipfile.ZipInfo(name, FIXED_TIMESTAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python packaging/build_zipapp.py FOLDER")
    folder = Path(sys.argv[1])
    build_zipapp(folder / f"cpctl-{__version__}-py3-none-any.whl", folder / "cpctl.pyz")
