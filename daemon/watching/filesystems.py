"""What kind of file system a folder lies on, and whether it tells of changes at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from daemon.watching.drops import Patience

_SLOWER = 4
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gfs2")
_CLUSTER = ("ocfs2", "beegfs", "orangefs", "gpfs")
_SHARED_WITH_A_HOST = ("9p", "virtiofs", "vboxsf", "prl_fs", "vmhgfs")
_LAYERED_HERE = ("overlay", "aufs")
_LAYERED = (*_LAYERED_HERE, "autofs")
_REMOTE = frozenset((*_NETWORK, *_CLUSTER, *_SHARED_WITH_A_HOST, *_LAYERED, "unknown"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A kind, as the mount table names it (`ext4`, `nfs4`, `fuse.sshfs`), and where it is mounted.

    `unknown` where there is no mount table; a doubt costs seconds, not films.
    """

    kind: str
    mount: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether events can be had: others may write to it from elsewhere, and nobody says so."""
        return self.kind not in _REMOTE and not self.kind.startswith("fuse")

    @property
    def is_near(self) -> bool:
        """Whether it lies on this machine, so that nothing small takes long to be read."""
        return self.is_watched or self.kind in _LAYERED_HERE

    def patience(self, local: Patience) -> Patience:
        """How long a drop must stay unchanged here, four times longer than on a local disk."""
        return local if self.is_watched else local.slower(_SLOWER)

    def words(self) -> str:
        """The sentence for logs and `doctor`."""
        if self.is_watched:
            return f"{self.kind} at {self.mount}: changes are told at once, and scanned for"
        return (
            f"{self.kind} at {self.mount or '?'}: changes made elsewhere are not told, so the "
            "inbox is only scanned, and a drop must lie unchanged four times longer"
        )


def file_system_of(folder: Path) -> FileSystem:
    """The file system of a folder. Raises OSError when the folder cannot be resolved."""
    place = folder.resolve(strict=True)
    if not _MOUNTS.exists():
        return FileSystem(kind="unknown")
    table = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    return file_system_in(table, place)


def file_system_in(table: str, place: PurePath) -> FileSystem:
    """The file system of an absolute path by the text of a mountinfo file.

    The mount whose point is the longest beginning of the path; of several at one point the
    last, which hides the others.
    """
    best, depth = FileSystem(kind="unknown"), 0
    for line in table.splitlines():
        before, found, after = line.partition(" - ")
        columns = before.split(" ")
        if not found or len(columns) < 5:
            continue
        point = PurePath(_ESCAPED.sub(lambda m: chr(int(m[1], 8)), columns[4]))
        if place.is_relative_to(point) and len(point.parts) >= depth:
            best = FileSystem(kind=after.split(" ")[0], mount=str(point))
            depth = len(point.parts)
    return best
