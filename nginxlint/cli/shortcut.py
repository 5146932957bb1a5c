"""The shortest way to our own modules.

To import one, Python asks several finders, the folder for its age, and five endings of names: two thirds of the time that
most of our hundred and fifty modules take. Ours stand in known folders, with their bytecode beside them. Where it is not
exactly so (a source that was changed, no bytecode, optimized code), Python goes its own way.
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads
from os import O_CLOEXEC, O_RDONLY, close, open, read, stat  # as they are before a `Watch` replaces them

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

# Bytecode is read in one piece, what is longer by Python.
_MOST = 1 << 16
_OURS = ("nginxlint.", "nginxlint_rules.")


class _Loader(SourceFileLoader):
    """Python's loader, which is given the code it would find."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code: CodeType | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        code, self._code = self._code, None
        return code or super().get_code(fullname)


class Shortcut:
    """A finder for `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not path or not name.startswith(_OURS):
            return None
        own = name.rpartition(".")[2]
        source = f"{path[0]}/{own}.py"
        bytecode = f"{path[0]}/__pycache__/{own}.{sys.implementation.cache_tag}.pyc"
        code = _code(source, bytecode)
        if code is None:
            return None
        spec = ModuleSpec(name, _Loader(name, source, code), origin=source)
        spec.has_location, spec.cached = True, bytecode
        return spec


def _code(source: str, bytecode: str) -> CodeType | None:
    """The code in a file of bytecode, if it was made of this very source."""
    try:
        found = stat(source)
        descriptor = open(bytecode, O_RDONLY | O_CLOEXEC)
        try:
            data = read(descriptor, _MOST)
        finally:
            close(descriptor)
    except OSError:
        return None
    if len(data) == _MOST:
        return None
    time, size = ((number & 0xFFFFFFFF).to_bytes(4, "little") for number in (int(found.st_mtime), found.st_size))
    return loads(memoryview(data)[16:]) if data[:16] == MAGIC_NUMBER + bytes(4) + time + size else None
