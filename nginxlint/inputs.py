"""From the PATHs a user gives to the roots to check: files, folders, snippets, `nginx -T` dumps, standard input."""

from __future__ import annotations

import errno
import os
import stat

from nginxlint.error import NginxlintError
from nginxlint.expressions import compiled
from nginxlint.files import MAX_FILE_BYTES, Disk, Dump, Files
from nginxlint.includes import Loaded, conf_folder_of, load
from nginxlint.parser import outline_of
from nginxlint.syntax import Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Compiled when they are needed, which in most runs is never.
_DUMP_MARK = rb"(?m)^# configuration file (.+):\r?$"
_CONTEXT_COMMENT = r"(?m)^[ \t]*#[ \t]*nginxlint:[ \t]*context[ \t]+([a-z_, \t-]+)\r?$"
_STDIN = "-"

# Folders that hold configuration whatever the file is called, and files in them that are something else.
_CONF_FOLDERS = r"^(conf\.d|sites?-(available|enabled)|snippets|vhosts?|streams?(\.d|-(available|enabled)))$"
_NOT_CONF = (
    r"(?i)(^\.|~$|\.(md|rst|txt|py|sh|js|json|ya?ml|html?|css|pem|crt|key|bak|swp|orig|rej|dpkg-\w+|rpm\w+)$"
    r"|^(mime\.types|koi-utf|koi-win|win-utf|Dockerfile|Makefile|LICENSE)$)"
)

# What may surround a snippet, by the name used on the command line; the blocks it stands for.
CONTEXTS: dict[str, tuple[str, ...]] = {
    "main": (),
    "events": ("events",),
    "http": ("http",),
    "server": ("http", "server"),
    "location": ("http", "server", "location"),
    "upstream": ("http", "upstream"),
    "map": ("http", "map"),
    "geo": ("http", "geo"),
    "types": ("http", "types"),
    "stream": ("stream",),
    "stream_server": ("stream", "server"),
    "stream_upstream": ("stream", "upstream"),
    "mail": ("mail",),
    "mail_server": ("mail", "server"),
}


class Root:
    """One root: `given` is the PATH argument that led to it, `path` its file, `context` the surroundings of a
    snippet (None for a whole configuration), `guessed` true where the context is our guess, `live` true where it
    is the configuration of this machine."""

    __slots__ = ("context", "files", "given", "guessed", "live", "path", "text")

    def __init__(
        self, given: str, path: str, text: str, files: Files, context: str | None, *, guessed: bool, live: bool
    ) -> None:
        self.given = given
        self.path = path
        self.text = text
        self.files = files
        self.context = context
        self.guessed = guessed
        self.live = live

    @property
    def is_dump(self) -> bool:
        """Is it an `nginx -T` dump?"""
        return isinstance(self.files, Dump)

    def checks_files(self, when: str) -> bool:
        """Are the files it names to be looked for? `when` is auto, always or never; auto: where they must be here."""
        if isinstance(self.files, Dump) or when == "never":
            return False
        return when == "always" or self.live or bool(self.files.root)

    def locate(self, path: str, in_prefix: bool = False) -> str:
        """Where on this machine a file that a directive names is: beside nginx.conf, or (modules) below the prefix."""
        if isinstance(self.files, Dump):
            return ""
        if in_prefix and not path.startswith("/"):
            return ""  # the prefix is compiled in
        return self.files.find(path)[0] if not any(character in path for character in "*?[") else ""

    def look(self, path: str) -> str:
        """What is at an absolute path on the machine that runs nginx: "file", "folder", "socket", or "" for nothing."""
        place = self.locate(path)
        try:
            mode = os.stat(place).st_mode
        except (OSError, ValueError):
            return ""
        return "folder" if stat.S_ISDIR(mode) else "socket" if stat.S_ISSOCK(mode) else "file"

    def load(self) -> Loaded:
        """Parse it with everything it includes."""
        return load(self.files, self.path, self.text, CONTEXTS.get(self.context or "main", ()))


class Unreadable:
    """A file that could not be read, why, and the `include` that named it (None: it was given)."""

    __slots__ = ("include", "path", "reason")

    def __init__(self, path: str, reason: str, include: Directive | None = None) -> None:
        self.path = path
        self.reason = reason
        self.include = include


class InputOptions:
    """How paths are looked up: see `nginxlint check --help`, group Input."""

    __slots__ = ("changed", "context", "exclude", "maps", "prefix", "root", "stdin", "stdin_filename")

    def __init__(
        self,
        *,
        context: str = "",
        prefix: str = "",
        root: str = "",
        maps: tuple[tuple[str, str], ...] = (),
        stdin_filename: str = "",
        stdin: Callable[[int], bytes] = lambda limit: b"",
        exclude: tuple[str, ...] = (),
    ) -> None:
        self.context = context
        self.prefix = prefix
        self.root = root
        self.maps = maps
        self.stdin_filename = stdin_filename
        self.stdin = stdin
        self.exclude = exclude
        self.changed: Mapping[str, bytes] = {}  # what files shall be taken to hold, by real path

    def excludes(self, path: str) -> bool:
        """Is this file left out? `*` in a pattern also matches slashes; `**/` in front also matches nothing."""
        if not self.exclude:
            return False
        from fnmatch import fnmatchcase

        absolute = os.path.abspath(path)
        relative = os.path.relpath(absolute)
        return any(
            fnmatchcase(name, pattern)
            for pattern in (form for text in self.exclude for form in (text, text.removeprefix("**/")))
            for name in (relative, absolute, os.path.basename(path))
        )


def find_roots(
    paths: Sequence[str], options: InputOptions, guess: Callable[[str], str]
) -> tuple[list[Root], list[Unreadable]]:
    """The roots that PATHs stand for. `guess` names the context of a snippet's text. `-` may be read only once.

    Raises NginxlintError where there is nothing to check: no such path or --root, a folder without configuration.
    """
    if options.root and not os.path.isdir(options.root):
        raise NginxlintError(f"--root {options.root}: no such folder")
    roots: list[Root] = []
    unreadable: list[Unreadable] = []
    for given in dict.fromkeys(paths):
        found = _roots_of(given, options, guess, unreadable)
        roots.extend(found)
    return roots, unreadable


def _roots_of(
    given: str, options: InputOptions, guess: Callable[[str], str], unreadable: list[Unreadable]
) -> list[Root]:
    if given == _STDIN:
        data = options.stdin(MAX_FILE_BYTES)
        path = options.stdin_filename or "<stdin>"
        if len(data) > MAX_FILE_BYTES:
            unreadable.append(Unreadable(path, f"larger than {MAX_FILE_BYTES // 1024 // 1024} MiB"))
            return []
        return [_root(given, path, data, options, guess)]
    given = _below(options.root, given)
    if os.path.isdir(given):
        files = [path for path in _files_of_folder(given, unreadable) if not options.excludes(path)]
        if not files and not unreadable:
            raise NginxlintError(f"{given}: no nginx configuration found in this folder")
    else:
        files = [given]
        try:
            os.lstat(given)
        except PermissionError:
            pass  # the reading says so
        except (OSError, ValueError):
            raise NginxlintError(f"{given}: no such file or folder") from None
    roots = []
    for path in files:
        try:
            data = Disk("", changed=options.changed).read(path)
        except OSError as error:
            pipe = os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)
            hint = ": give it as -, on standard input" if pipe else ""
            unreadable.append(Unreadable(path, reason_of(error) + hint))
            continue
        roots.append(_root(given, path, data, options, guess))
    return roots


def _below(root: str, path: str) -> str:
    """Where a PATH is in the copied tree: `--root copy /etc/nginx` means copy/etc/nginx, unless nothing is there."""
    root = root.rstrip("/")
    if not root or not path.startswith("/") or path.startswith(f"{os.path.abspath(root)}/"):
        return path
    return root + path if os.path.lexists(root + path) else path


def _files_of_folder(folder: str, unreadable: list[Unreadable]) -> list[str]:
    """The root files of a folder: its nginx.conf; else every nginx.conf below it and every other file that looks
    like configuration (which ones are included by others shows when they are loaded)."""
    for name in ("nginx.conf", "conf/nginx.conf", "etc/nginx/nginx.conf"):
        path = _join(folder, name)
        if os.path.lexists(path):
            return [path]
    mains: list[str] = []
    others: list[str] = []

    def closed(error: OSError) -> None:
        unreadable.append(Unreadable(error.filename or folder, reason_of(error)))

    for around, folders, names in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        in_conf_folder = compiled(_CONF_FOLDERS).match(os.path.basename(os.path.abspath(around)))
        for name in sorted(names):
            if name == "nginx.conf":
                mains.append(_join(around, name))
            elif not compiled(_NOT_CONF).search(name) and (
                in_conf_folder or name.endswith((".conf", ".nginx", ".vhost"))
            ):
                others.append(_join(around, name))
    return mains + others


def _root(given: str, path: str, data: bytes, options: InputOptions, guess: Callable[[str], str]) -> Root:
    if b"# configuration file " in data and (texts := split_dump(data)):
        main = next(iter(texts))
        text = texts[main].decode("utf-8", "surrogateescape")
        files: Files = Dump(texts, options.prefix or os.path.dirname(main))
        return Root(given, main, text, files, None, guessed=False, live=False)
    text = data.decode("utf-8", "surrogateescape")
    context, guessed = options.context, False
    if not context and "nginxlint:" in text and (comment := compiled(_CONTEXT_COMMENT).search(text)):
        *around, context = "".join(comment[1].split()).split(",")
        inside = "_".join((*around[:1], context))
        context = inside if inside in CONTEXTS else context
    if not context and os.path.basename(path) != "nginx.conf":
        context = guess(text)
        guessed = context != "main"
    context = context or "main"
    if context not in CONTEXTS:
        place = "--context" if context == options.context else path
        raise NginxlintError(f"{place}: unknown context {context!r}: one of {', '.join(CONTEXTS)}")
    own = os.path.dirname(path)
    whole = context == "main" and (os.path.basename(path) == "nginx.conf" or is_whole(text))
    folder = options.prefix or (own if whole else conf_folder_of(path))
    disk = Disk(folder, root=options.root, maps=options.maps, changed=options.changed)
    live = os.path.abspath(path) in LIVE and not options.root
    return Root(given, path, text, disk, None if whole else context, guessed=guessed, live=live)


LIVE = ("/etc/nginx/nginx.conf", "/usr/local/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")


def is_whole(text: str) -> bool:
    """Is it a whole configuration, rather than a piece that another file includes?"""
    return not outline_of(text).top.keys().isdisjoint(("http", "events", "stream", "mail"))


def split_dump(data: bytes) -> dict[str, bytes]:
    """The files of an `nginx -T` dump, in order, byte for byte. nginx writes a mark, the file, and a newline."""
    marks = list(compiled(_DUMP_MARK).finditer(data))
    texts: dict[str, bytes] = {}
    ends = [*(mark.start() for mark in marks[1:]), len(data)]
    for mark, end in zip(marks, ends, strict=False):
        body = data[mark.end() + 1 : end]
        if body.endswith(b"\n"):
            body = body[:-1]
        texts.setdefault(mark[1].decode("utf-8", "surrogateescape"), body)
    return texts


def _join(folder: str, name: str) -> str:
    """As a person would write it: without `./` in front."""
    return os.path.join(folder, name).removeprefix("./")


def reason_of(error: OSError) -> str:
    """Why a file could not be read, in the system's words."""
    if error.errno == errno.ENXIO:
        return "a socket, not a file"
    return error.strerror or str(error)
