"""Where the text of configuration files comes from: the disk, an `nginx -T` dump, standard input."""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# nginx configurations of 10,000 virtual hosts have 10 MB in all; one file beyond this is something else.
MAX_FILE_BYTES = 64 * 1024 * 1024
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # (a pipe would keep us waiting)
# Most files are read in one piece of this size.
_CHUNK = 1 << 16

# Where distributions keep nginx.conf. An absolute include below one of these, in a tree that lives elsewhere (a
# repository), means the file of that tree.
CONF_FOLDERS = (
    "/etc/nginx",
    "/usr/local/etc/nginx",
    "/usr/local/nginx/conf",
    "/usr/local/openresty/nginx/conf",
    "/opt/homebrew/etc/nginx",
)


class Disk:
    """Files of the file system.

    `conf_folder` is the folder of the root file: relative includes start there, as in nginx. With `root`, absolute
    paths are looked up below it (a copied or chrooted tree). `maps` are (from, to) pairs of path prefixes, tried in
    order, component-wise, for paths that do not exist as they stand. `changed` has what files shall be taken to hold, by
    their real paths: changes that were not written yet.
    """

    def __init__(
        self,
        conf_folder: str,
        *,
        root: str = "",
        maps: tuple[tuple[str, str], ...] = (),
        changed: Mapping[str, bytes] | None = None,
    ) -> None:
        self.conf_folder = conf_folder
        self._changed = changed or {}
        self.root = root.rstrip("/")
        self.maps = maps
        absolute = os.path.abspath(conf_folder)
        self._real_folders: dict[str, str] = {}
        # what folders said are regular files, and no symbolic links to some, each with its identity
        self._regular: dict[str, str] = {}
        self._foreign = not any(absolute == folder or absolute.startswith(folder + "/") for folder in CONF_FOLDERS)

    def full(self, path: str) -> str:
        """The path nginx would open for an include of `path`."""
        return path if path.startswith("/") else os.path.join(self.conf_folder, path)

    def _candidates(self, path: str) -> list[str]:
        """Where to look for what nginx would open as `path`, best first."""
        found = []
        if not path.startswith("/"):
            found.append(os.path.join(self.conf_folder, path))
        elif self.root:
            found.append(self.root + path)
        else:
            if self._foreign:
                found.extend(
                    os.path.join(self.conf_folder, path[len(folder) + 1 :])
                    for folder in CONF_FOLDERS
                    if path.startswith(folder + "/")
                )
            found.append(path)
        for old, new in self.maps:
            for candidate in [path, *found]:
                if mapped := _replace_components(candidate, old, new):
                    found.append(mapped)
        return found

    def find(self, pattern: str) -> list[str]:
        """The files an `include` of `pattern` reads, in nginx's order (bytewise, as glob(3) in the C locale). A
        pattern without `*?[` gives itself, existing or not."""
        candidates = self._candidates(pattern)
        if not any(character in pattern for character in "*?["):
            there = next((path for path in candidates if os.path.exists(path)), None)
            return [there or next((self._behind(path) for path in candidates if os.path.lexists(path)), candidates[0])]
        for candidate in candidates:
            if paths := self._glob(candidate):
                plain = "".join(paths).isascii()
                paths = sorted(paths, key=None if plain else os.fsencode)
                if self._foreign or self.root:
                    paths = [path if path in self._regular else self._behind(path) for path in paths]
                return paths
        return []

    def _behind(self, path: str) -> str:
        """What a link of a copied tree stands for where it leads to nothing: its target, as it is looked for in the copy."""
        if os.path.exists(path) or not os.path.islink(path):
            return path
        target = os.readlink(path)
        found = self._candidates(target) if target.startswith("/") else []
        return next((one for one in found if os.path.exists(one)), path)

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError: absent, unreadable, too large, or not a regular file."""
        if self._changed and (changed := self._changed.get(os.path.realpath(path))) is not None:
            return changed
        descriptor = os.open(path, _READ)
        try:
            # a regular file gives less than was asked for only at its end
            data = os.read(descriptor, _CHUNK) if path in self._regular else b""
            if 0 < len(data) < _CHUNK:
                return data
            size = _size(descriptor, path)
            data += os.read(descriptor, size + 1 - len(data))
            while len(data) > size:
                more = os.read(descriptor, 1 << 20)
                data += more
                if len(data) > MAX_FILE_BYTES:
                    raise OSError(errno.EFBIG, "grows while it is read", path)
                if not more:
                    break
            return data
        finally:
            os.close(descriptor)

    def identity(self, path: str) -> str:
        """The same for all names of one file: tells include cycles and twins. This is `os.path.realpath`, which looks
        at every folder above every file."""
        known = self._regular.get(path)
        if known is not None:
            return known
        above, name = os.path.split(path)
        try:
            if name in ("", ".", "..") or stat.S_ISLNK(os.lstat(path).st_mode):
                return os.path.realpath(path)
        except OSError:
            return os.path.realpath(path)
        return f"{self._real_folder(above)}/{name}"

    def _real_folder(self, folder: str) -> str:
        """What names a folder behind all symbolic links, without a slash at the end."""
        real = self._real_folders.get(folder)
        if real is None:
            real = self._real_folders[folder] = os.path.realpath(folder).removesuffix("/")
        return real

    def _glob(self, pattern: str) -> list[str]:
        """The paths a pattern with wildcards stands for. The usual one, a folder and a star, needs no regular expression,
        and the folder says which of its files are regular: that spares two questions about each."""
        folder, slash, last = pattern.rpartition("/")
        head, star, tail = last.partition("*")
        if any(one in folder or one in tail for one in "*?[") or not star or "?" in head or "[" in head:
            import glob

            return glob.glob(pattern)
        above, shortest = folder + slash, len(head) + len(tail)
        try:
            with os.scandir(folder or slash or ".") as entries:
                found = [
                    (above + name, entry.is_file(follow_symlinks=False))
                    for entry in entries
                    if (name := entry.name).startswith(head)
                    and name.endswith(tail)
                    and len(name) >= shortest
                    and (head or name[0] != ".")
                ]
        except PermissionError:
            return [folder] if os.geteuid() else []  # nginx is started by root, who can tell what it holds
        except OSError:
            return []
        real = self._real_folder(above) + "/"
        for path, is_regular in found:
            if is_regular:
                self._regular[path] = path if real == above else real + path[len(above) :]
        return [path for path, _ in found]


def _size(descriptor: int, path: str) -> int:
    """The size of a file. Raises OSError: too large, or not a regular file."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        raise OSError(errno.EINVAL, "not a regular file", path)
    if status.st_size > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_FILE_BYTES // 1024 // 1024} MiB", path)
    return status.st_size


def beginning_of(path: str, most: int) -> bytes | None:
    """At most so many bytes of a regular file; None where it is none (a pipe would keep us waiting), or may not be read."""
    try:
        descriptor = os.open(path, _READ)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = b""
        while len(data) < most and (piece := os.read(descriptor, most - len(data))):
            data += piece
        return data
    except OSError:
        return None
    finally:
        os.close(descriptor)


class Dump:
    """The files of an `nginx -T` dump, under the paths they had on their machine."""

    def __init__(self, texts: dict[str, bytes], conf_folder: str) -> None:
        self.texts = texts
        self.conf_folder = conf_folder

    def full(self, path: str) -> str:
        return path if path.startswith("/") else os.path.join(self.conf_folder, path)

    def find(self, pattern: str) -> list[str]:
        full = os.path.normpath(self.full(pattern))
        if not any(character in pattern for character in "*?["):
            return [full]
        import fnmatch

        depth = full.count("/")
        names = [name for name in self.texts if name.count("/") == depth and fnmatch.fnmatchcase(name, full)]
        return sorted(names, key=os.fsencode)

    def read(self, path: str) -> bytes:
        try:
            return self.texts[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "not in the dump", path) from None

    def identity(self, path: str) -> str:
        return path


Files = Disk | Dump


def _replace_components(path: str, old: str, new: str) -> str:
    """`path` with the run of components `old` replaced by `new`, or an empty string."""
    if old.startswith("/"):
        return new + path[len(old) :] if path == old or path.startswith(old.rstrip("/") + "/") else ""
    wanted, parts = old.strip("/").split("/"), path.split("/")
    for at in range(len(parts) - len(wanted) + 1):
        if parts[at : at + len(wanted)] == wanted:
            return "/".join([*parts[:at], *new.strip("/").split("/"), *parts[at + len(wanted) :]])
    return ""
