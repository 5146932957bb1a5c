"""Follow `include` across files: one spliced tree, as nginx reads it, and a record of every include."""

from __future__ import annotations

import os

from nginxlint.files import Files
from nginxlint.lexer import Fault
from nginxlint.ordinary import Heads
from nginxlint.parser import Tree, parse
from nginxlint.source import Shelf, Source
from nginxlint.syntax import Block, Directive, Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Files of the nginx packages that hold types, charsets or parameters of a pass and nothing else: where one of them is
# absent, nothing that rules look for can stand in it.
INERT = frozenset("mime.types fastcgi_params fastcgi.conf uwsgi_params scgi_params koi-utf koi-win win-utf".split())

# Limits on what one root may read. Reaching one is reported; nobody's configuration is near them.
MAX_FILES = 200_000
MAX_DIRECTIVES = 5_000_000
MAX_CHAIN = 64
# The texts of more files than this are packed, so many at a time.
_MANY_FILES = 2000
_TOGETHER = 64


class Include:
    """One `include` directive and the files it read. `problems` are (path, reason) of those it could not."""

    __slots__ = ("directive", "files", "pattern", "problems")

    def __init__(self, directive: Directive, pattern: str) -> None:
        self.directive = directive
        self.pattern = pattern
        self.files: list[str] = []
        self.problems: list[tuple[str, OSError | str]] = []

    @property
    def is_pattern(self) -> bool:
        """Does its name hold a wildcard?"""
        return any(character in self.pattern for character in "*?[")


class ReadFile:
    """A file that was read: its source (one per place that includes it), the offsets of comments that
    may speak to us, its faults."""

    __slots__ = ("comments", "faults", "source")

    def __init__(self, source: Source, tree: Tree) -> None:
        self.source = source
        # most files have neither: an empty list for each would be a megabyte for 10,000 hosts
        self.comments: Sequence[int] = tree.comments or ()
        self.faults: Sequence[Fault] = tree.faults or ()


class Loaded:
    """A root file with all it includes: `main` is the root block, `files` in the order they were read, `conf_folder`
    the folder relative includes start from."""

    __slots__ = ("conf_folder", "files", "includes", "limit", "main")

    def __init__(self, main: Block, conf_folder: str = "") -> None:
        self.main = main
        self.conf_folder = conf_folder
        self.files: list[ReadFile] = []
        self.includes: list[Include] = []
        self.limit = ""

    @property
    def included(self) -> list[str]:
        """The files it includes."""
        return [path for include in self.includes for path in include.files]

    @property
    def paths(self) -> list[str]:
        """All files that were read, in the order nginx reads them."""
        return [file.source.path for file in self.files]


def load(files: Files, path: str, text: str, around: tuple[str, ...] = ()) -> Loaded:
    """Parse `text`, the content of `path`, and everything it includes.

    `around` names the blocks that surround a snippet (`("http", "server")`): they become synthetic blocks.
    """
    source = Source(path, text)
    main: Block = Surroundings("", source)
    loaded = Loaded(main, files.conf_folder)
    inner = main
    for name in around:
        block = Surroundings(name, source, inner)
        inner.body = (block,)
        inner = block
    reader = _Reader(files, loaded, len(text))
    inner.body = tuple(reader.body(source, inner, (files.identity(path),), len(around)))
    return loaded


class _Reader:
    def __init__(self, files: Files, loaded: Loaded, characters: int) -> None:
        self.files = files
        self.loaded = loaded
        self.characters = characters
        self.directives = 0
        self.heads = Heads()
        # Files named without a wildcard (proxy_params, snippets) are included again and again: read them once.
        self.texts: dict[str, str] = {}
        self.read: list[Source] = []  # files whose texts nobody else has: packed if they become many

    def body(self, source: Source, parent: Block, chain: tuple[str, ...], depth: int) -> list[Directive]:
        """The directives of one file, includes spliced. `chain` identifies the files being read; `depth` blocks are
        around."""
        tree = parse(source, parent, self.heads, depth)
        self.loaded.files.append(ReadFile(source, tree))
        body, includes = tree.top, tree.includes
        if not includes:
            return body
        spliced: dict[int, list[Directive]] = {}
        blocks: dict[int, Block] = {}
        for include in includes:
            spliced[id(include)] = self._expand(include, chain)
            if include.parent is not None and include.parent is not parent:
                blocks[id(include.parent)] = include.parent
        for block in blocks.values():
            block.body = tuple(_splice(block.body, spliced))
        return _splice(body, spliced)

    def _expand(self, directive: Directive, chain: tuple[str, ...]) -> list[Directive]:
        """What an include directive stands for."""
        # nginx hands the name to the system as a C string, which ends at a NUL
        record = Include(directive, directive.values[0].partition("\0")[0] if directive.values else "")
        self.loaded.includes.append(record)
        parent = directive.parent
        if len(directive.values) != 1 or parent is None:
            return [directive]  # stays in the tree: the catalogue check refuses it
        result: list[Directive] = []
        literal = not record.is_pattern
        too_deep = len(chain) >= MAX_CHAIN
        depth = sum(1 for _ in directive.ancestors())
        for path in self.files.find(record.pattern):
            identity = self.files.identity(path)
            if identity in chain:
                record.problems.append((path, "includes itself"))
                continue
            if too_deep or self.directives >= MAX_DIRECTIVES or len(self.loaded.files) >= MAX_FILES:
                self.loaded.limit = "the configuration is too large: not all includes were read"
                return result
            text = self.texts.get(identity)
            if text is None:
                try:
                    text = self.files.read(path).decode("utf-8", "surrogateescape")
                except OSError as error:
                    record.problems.append((path, error))
                    continue
                if literal:
                    self.texts[identity] = text
            record.files.append(path)
            self.characters += len(text)
            if self.characters > 2 * MAX_DIRECTIVES:  # none has less than two: most configurations need no counting
                self.directives += text.count(";")
            source = Source(path, text, directive)
            result.extend(self.body(source, parent, (*chain, identity), depth))
            if not literal:
                self._put_away(source)
        if literal and not record.files:
            parent.has_gap = True
        return result

    def _put_away(self, source: Source) -> None:
        self.read.append(source)
        if len(self.read) >= _TOGETHER and len(self.loaded.files) > _MANY_FILES:
            for at in range(0, len(self.read), _TOGETHER):
                Shelf(self.read[at : at + _TOGETHER])
            self.read = []


def _splice(body: Iterable[Directive], spliced: dict[int, list[Directive]]) -> list[Directive]:
    result: list[Directive] = []
    for directive in body:
        if (inner := spliced.get(id(directive))) is None:
            result.append(directive)
        else:
            result.extend(inner)
    return result


def conf_folder_of(path: str) -> str:
    """The folder relative includes of a loose snippet start from: the nearest one above it that has an nginx.conf,
    else its own. Relative where `path` is relative."""
    own = os.path.dirname(path)
    folder = own
    for _ in range(6):
        if os.path.isfile(os.path.join(folder, "nginx.conf")):
            return folder
        above = os.path.dirname(folder) if folder else ""
        if above == folder or not folder:
            break
        folder = above
    return own
