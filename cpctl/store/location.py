"""Where a store may lie, checked before anything is claimed."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from cpctl.errors import StoreError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
MOUNT_TABLE = Path("/proc/self/mountinfo")

# SQLite's write-ahead log needs memory shared by all who write: one machine, one kernel.
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "9p", "drvfs"}
    | {"davfs", "fuse.davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"}
)


def prepare_location(store: Path) -> None:
    """Make the store's folder (0700) and an empty file for it (0600).

    Raises StoreError where the folder cannot be made, the file cannot be written, or the
    file system is one that several machines share.
    """
    if (shared := detect_network_file_system(store.parent)) is not None:
        raise StoreError(
            f"The store {store} would lie on a network file system ({shared}), where it can be damaged.",
            "Name a folder on a local disk: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR.",
        )
    try:
        store.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _create_file(store)
    except OSError as error:
        raise StoreError(
            f"The store {store} cannot be written: {error.strerror}.",
            "Make the folder writable, or name another one with CPCTL_DATA_DIR.",
        ) from error


def _create_file(store: Path) -> None:
    """Make the file where it is missing, and insist that it can be written. Raises OSError.

    One that is there is not opened: on POSIX, closing any handle of a file ends all locks that this process holds
    on it ("How To Corrupt An SQLite Database File", 2.2). Another program would then take itself for the only user
    of the store, and take away the log in which other connections of ours go on to write.
    """
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(store), os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
        return
    if store.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(store, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def can_create_store(store: Path) -> bool:
    """Whether the folder that would hold a store is there and may be written, or may be made."""
    there = next(folder for folder in (*store.absolute().parents, Path()) if folder.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def detect_network_file_system(folder: Path, mounts: Path = MOUNT_TABLE) -> str | None:
    """The kind of network file system a folder lies on, or None for a local one.

    Linux tells by its mount table (proc(5), "mountinfo"); Windows by the two backslashes of a
    share. Where neither tells, the folder counts as local.
    """
    if sys.platform == "win32":
        return "a Windows share" if str(folder).startswith("\\\\") else None
    kind, depth = "", -1
    for point, file_system in _read_mounts(mounts):
        if len(point.parts) > depth and _resolve(folder).is_relative_to(point):
            kind, depth = file_system, len(point.parts)
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def _resolve(folder: Path) -> Path:
    """The folder behind all links; also where it does not exist yet."""
    return folder.expanduser().absolute().resolve()


def _read_mounts(mounts: Path) -> list[tuple[Path, str]]:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) > 4 and after:
            found.append((Path(_unescape(fields[4])), after.split()[0]))
    return found


def _unescape(point: str) -> str:
    """mountinfo writes blank, tab, newline and backslash in octal."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        point = point.replace(code, chr(int(code[1:], 8)))
    return point
