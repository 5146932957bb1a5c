"""Who could open this file or unix socket? Root can open everything, so what runs as root has to compute it."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def refused_for(user: str, path: str) -> str:
    """Why `user` may not connect to the socket at `path`; empty where it may, or where that cannot be known."""
    if os.geteuid() != 0 or not user:
        return ""  # the workers of an nginx we could start run as ourselves: the connect will tell
    import grp
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return ""
    if entry.pw_uid == 0:
        return ""
    groups = {entry.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    full = os.path.realpath(path)
    try:
        for folder in reversed(list(_folders_around(full))):
            if not _may(os.stat(folder), entry.pw_uid, groups, stat.S_IXOTH):
                return f"the worker user {user} may not enter {folder}"
        if not _may(os.stat(full), entry.pw_uid, groups, stat.S_IWOTH):
            mode = stat.S_IMODE(os.stat(full).st_mode)
            return f"the worker user {user} has no write right on the socket (mode {mode:04o})"
    except OSError:
        return ""
    return ""


def readable_by_all(path: str, below: str = "") -> bool:
    """May every user read this file, and enter the folders around it (up to `below`, where the tree is a copy)?"""
    full, end = os.path.realpath(path), os.path.realpath(below) if below else os.sep
    try:
        status = os.stat(full)
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & stat.S_IROTH:
            return False
        for folder in _folders_around(full):
            if folder in (end, os.sep):
                break
            if not os.stat(folder).st_mode & stat.S_IXOTH:
                return False
    except (OSError, ValueError):
        return False
    return True


def _folders_around(path: str) -> Iterator[str]:
    """The folders a file is in, the nearest first, the root of the file system last."""
    folder, above = os.path.dirname(path), ""
    while folder != above:
        yield folder
        folder, above = os.path.dirname(folder), folder


def _may(status: os.stat_result, uid: int, groups: set[int], bit: int) -> bool:
    """One right by the usual order: owner, else group, else others."""
    if status.st_uid == uid:
        return bool(status.st_mode & (bit << 6))
    if status.st_gid in groups:
        return bool(status.st_mode & (bit << 3))
    return bool(status.st_mode & bit)
