"""The location of a store: its folder, its file, and the check that it is on a local disk."""

import errno
import os
import re
import sys
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

from cpctl.errors import StoreError

MOUNT_TABLE = Path("/proc/self/mountinfo")
_MOUNT_LINE = re.compile(r"^(?:\S+ ){4}(\S+) .*? - (\S+)", re.MULTILINE)  # mount point and file system
_OCTAL = re.compile(r"\\([0-7]{3})")

# SQLite's write-ahead log needs memory shared by all who write: one machine, one kernel.
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "9p", "drvfs"}
    | {"davfs", "fuse.davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"}
)


def prepare_location(store: Path) -> None:
    """Create the folder of a store (0700) and an empty file for it (0600).

    Raises StoreError if the folder cannot be created, the file cannot be written, or the file system is one that
    several machines share.
    """
    if (kind := detect_network_file_system(store.parent)) is not None:
        raise StoreError(
            f"The store {store} would be on a network file system ({kind}), where it can be damaged.",
            "Name a folder on a local disk: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR.",
        )
    try:
        store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_file(store)
    except OSError as error:
        raise StoreError(
            f"The store {store} cannot be written: {error.strerror}.",
            "Make the folder writable, or name another one with CPCTL_DATA_DIR.",
        ) from error


def _create_file(store: Path) -> None:
    """Create the file if it is missing, and insist that it can be written. Raises OSError.

    An existing file is not opened: on POSIX, closing any handle of a file ends all locks that this process holds on
    it ("How To Corrupt An SQLite Database File", 2.2). Another program would then take itself for the only user of
    the store, and delete the log to which other connections of this process still write.
    """
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(store), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        return
    if store.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(store, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def can_create_store(store: Path) -> bool:
    """Whether the folder of a store is writable, or could be created."""
    existing = next(folder for folder in (*store.absolute().parents, Path()) if folder.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def detect_network_file_system(folder: Path, mounts: Path = MOUNT_TABLE) -> str | None:
    """The kind of network file system that a folder is on, or None for a local one.

    Linux has a mount table (proc(5), "mountinfo"), Windows the two backslashes of a share. Without either, the
    folder counts as local.
    """
    if sys.platform == "win32":
        return "a Windows share" if str(folder).startswith("\\\\") else None
    try:
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    # mountinfo writes space, tab, newline and backslash in octal.
    table = [
        (Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), point)), kind) for point, kind in _MOUNT_LINE.findall(text)
    ]
    resolved = folder.expanduser().absolute().resolve()
    above = [(len(point.parts), kind) for point, kind in table if resolved.is_relative_to(point)]
    _, kind = max(above, key=itemgetter(0), default=(0, ""))  # the innermost mount counts
    return kind if kind in NETWORK_FILE_SYSTEMS else None
