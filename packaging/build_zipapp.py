"""Build cpctl.pyz, cpctl and its libraries in one file: `python packaging/build_zipapp.py WHEEL TARGET`.

The file runs on every system and every Python that cpctl supports: compiled modules, which all of
the libraries can do without, are left out. The same wheel and libraries give the same file.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from zipapp_main import CONTENT_NAME, DIGEST_NAME

HERE = Path(__file__).parent
SHEBANG = b"#!/usr/bin/env python3\n"
COMPILED_SUFFIXES = (".so", ".pyd", ".dylib")
# pip's own records, which name paths of this machine.
PIP_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
EXCLUDED_FOLDERS = ("bin", "Scripts", "share", "tests", "docs", "__pycache__")
FIXED_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def build_zipapp(wheel: Path, target: Path) -> None:
    """Write the file for a wheel. Raises subprocess.CalledProcessError if pip cannot get the libraries."""
    with tempfile.TemporaryDirectory() as folder:
        install_wheel(wheel, Path(folder))
        content = dict(select_files(Path(folder)))
    outer = {
        "__main__.py": (HERE / "zipapp_main.py").read_bytes(),
        DIGEST_NAME: content_digest(content).encode(),
        # One entry, not a thousand: Python reads an archive's whole directory at every start.
        CONTENT_NAME: zip_files(content),
    }
    draft = target.with_suffix(".tmp")
    draft.write_bytes(SHEBANG + zip_files(outer))
    draft.chmod(0o755)
    draft.replace(target)


def install_wheel(wheel: Path, folder: Path) -> None:
    """Install the wheel and its libraries, in the versions that cpctl is tested with."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    options = ["--constraint", str(HERE.parent / "constraints.txt"), "--only-binary", ":all:", "--target", str(folder)]
    subprocess.run([*pip, *options, str(wheel)], check=True)


def select_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files that belong in the archive, with their names in it."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        is_excluded = name.parts[0] in EXCLUDED_FOLDERS or "__pycache__" in name.parts
        if file.is_file() and not is_excluded and file.suffix not in COMPILED_SUFFIXES and file.name not in PIP_FILES:
            yield name.as_posix(), file.read_bytes()


def content_digest(content: dict[str, bytes]) -> str:
    """A short name for exactly this content."""
    digest = hashlib.sha256()
    for name, data in content.items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:16]


def zip_files(files: dict[str, bytes]) -> bytes:
    """An archive of the files that does not differ from one build to the next."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, FIXED_TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python packaging/build_zipapp.py WHEEL TARGET")
    build_zipapp(Path(sys.argv[1]), Path(sys.argv[2]))
