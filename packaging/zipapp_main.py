"""The `__main__` of cpctl.pyz: unpack the file once per user, then run cpctl from there.

It unpacks, because importing from within the archive compiles every module on every run, and
because requests needs its certificates in a file. It must parse on Pythons that are too old for
cpctl, so that it can say so.
"""

import os
import sys
from pathlib import Path

CONTENT_NAME = "content.zip"
DIGEST_NAME = "digest"  # names the folder, so that every build has its own
CACHE_FOLDER_NAME = "cpctl-unpacked"  # Windows keeps caches beside data: not the folder of the store
EXIT_CONFIGURATION = 3  # the exit status of cpctl for what stands in the way on this machine


def run_cpctl() -> None:
    """Run the cpctl in this file."""
    if sys.version_info < (3, 11):  # noqa: UP036
        version = ".".join(str(number) for number in sys.version_info[:3])
        exit_with_error(f"cpctl needs Python 3.11 or later; this is {version}.", "Try: python3.11 cpctl.pyz")
    loader = sys.modules["__main__"].__loader__
    digest = loader.get_data(str(Path(loader.archive) / DIGEST_NAME)).decode("ascii")
    sys.path[0] = str(ensure_unpacked(Path(loader.archive), digest))
    # PYTHONDONTWRITEBYTECODE is meant for source folders; in this cache, bytecode halves the start-up time.
    sys.dont_write_bytecode = False
    from cpctl.__main__ import run

    run()


def ensure_unpacked(archive: Path, digest: str) -> Path:
    """The folder with the content of the archive, unpacked on the first run; complete or absent."""
    cache = cache_folder() / CACHE_FOLDER_NAME
    folder = cache / digest
    if not folder.is_dir():
        try:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            extract_content(archive, cache, folder)
        except OSError as error:
            if not folder.is_dir():  # else another run unpacked it meanwhile
                fail_unpacking(folder, error.strerror or str(error))
    return folder


def extract_content(archive: Path, cache: Path, folder: Path) -> None:
    """Extract into a draft folder, then rename it, so that `folder` is never incomplete. Raises OSError."""
    import shutil
    import tempfile
    import zipfile

    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=str(cache)))
    try:
        # Nested, because Python 3.8 cannot parse several contexts in parentheses.
        with zipfile.ZipFile(str(archive)) as outer, outer.open(CONTENT_NAME) as inner:  # noqa: SIM117
            with zipfile.ZipFile(inner) as content:
                content.extractall(str(draft))
        draft.rename(folder)
    finally:
        shutil.rmtree(str(draft), ignore_errors=True)


def cache_folder() -> Path:
    """The user's cache folder on this system; XDG_CACHE_HOME names another one on every system."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA") if sys.platform == "win32" else ("XDG_CACHE_HOME",):
        if Path(os.environ.get(name, "")).is_absolute():
            return Path(os.environ[name])
    try:
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:
        return fail_unpacking(Path("~", ".cache"), "this account has no home folder")


def fail_unpacking(folder: Path, reason: str) -> Path:
    """Exit because the content cannot be unpacked."""
    exit_with_error(
        f"cpctl.pyz cannot unpack itself to {folder}: {reason}.", "Set XDG_CACHE_HOME to a folder you can write to."
    )
    return folder


def exit_with_error(message: str, hint: str) -> None:
    """Print an error and exit."""
    sys.stderr.write(f"cpctl: {message}\n  {hint}\n")
    sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    run_cpctl()
