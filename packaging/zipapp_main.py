"""The beginning of cpctl.pyz: unpacks the file once for each user, then runs cpctl from there.

Unpacked, because from within the file every run would compile all it imports anew, and because the
certificates of requests must lie on a disk. Knows nothing of cpctl but its name, and is written so
that a Python which is too old can read it, and say so.
"""

import os
import sys
from pathlib import Path

CONTENT_NAME = "content.zip"
DIGEST_NAME = "number"  # names the content: another build, another folder
CACHE_FOLDER_NAME = "cpctl-unpacked"  # not the folder of store and configuration, which Windows keeps beside caches
EXIT_CONFIGURATION = 3  # the exit status of cpctl for what stands in the way on this machine


def run_cpctl() -> None:
    """Run the cpctl in this file."""
    if sys.version_info < (3, 11):  # noqa: UP036
        version = ".".join(str(number) for number in sys.version_info[:3])
        exit_with_error(f"cpctl needs Python 3.11 or later; this is {version}.", "Such as: python3.11 cpctl.pyz")
    loader = sys.modules["__main__"].__loader__
    number = loader.get_data(str(Path(loader.archive) / DIGEST_NAME)).decode("ascii")
    sys.path[0] = str(ensure_unpacked(Path(loader.archive), number))
    # The folder is a cache; whoever wants no bytecode beside sources does not mean it, and it halves the time.
    sys.dont_write_bytecode = False
    from cpctl.__main__ import run

    run()


def ensure_unpacked(archive: Path, number: str) -> Path:
    """The folder with the content of the file, made on the first run; whole, or not there."""
    place = cache_folder() / CACHE_FOLDER_NAME
    folder = place / number
    if not folder.is_dir():
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            extract_content(archive, place, folder)
        except OSError as error:
            if not folder.is_dir():  # else another run was faster
                fail_unpacking(folder, error.strerror or str(error))
    return folder


def extract_content(archive: Path, place: Path, folder: Path) -> None:
    """Put the content into a folder that gets its name when all is there. Raises OSError."""
    import shutil
    import tempfile
    import zipfile

    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=str(place)))
    try:
        with (
            zipfile.ZipFile(str(archive)) as outer,
            outer.open(CONTENT_NAME) as inner,
            zipfile.ZipFile(inner) as content,
        ):
            content.extractall(str(draft))
        draft.rename(folder)
    finally:
        shutil.rmtree(str(draft), ignore_errors=True)


def cache_folder() -> Path:
    """Where this system keeps what can be made anew; XDG_CACHE_HOME names another place on every system."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA") if sys.platform == "win32" else ("XDG_CACHE_HOME",):
        if Path(os.environ.get(name, "")).is_absolute():
            return Path(os.environ[name])
    try:
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:
        return fail_unpacking(Path("~", ".cache"), "there is no home folder here")


def fail_unpacking(folder: Path, reason: str) -> Path:
    """End, because the content can be put nowhere."""
    exit_with_error(
        f"cpctl.pyz cannot unpack itself to {folder}: {reason}.", "Set XDG_CACHE_HOME to a folder you can write to."
    )
    return folder


def exit_with_error(message: str, hint: str) -> None:
    """End with words for a person."""
    sys.stderr.write(f"cpctl: {message}\n  {hint}\n")
    sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    run_cpctl()
