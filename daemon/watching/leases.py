"""Whether somebody still holds a file open for writing: Linux knows, by its leases."""

from __future__ import annotations

import errno
import fcntl
import signal

_NO_ANSWER = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def has_writer(descriptor: int) -> bool:
    """Whether a file, open here for reading, is open for writing anywhere on this machine.

    False as well where nobody can tell: file systems without leases, another user's file,
    another system, a writer across the network. So this is never the only reason to read.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        # A writer who opens the file in this instant breaks the lease, and the signal of that
        # would end the process: SIGURG, which is ignored by default, is sent in its stead.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return True
        if error.errno in _NO_ANSWER:
            return False
        raise
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
