"""Frozen dataclasses as JSON and back. What is read may come from anybody: nothing unknown or of a wrong kind passes."""

from __future__ import annotations

import types
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from nginxlint.error import NginxlintError

MAX_TEXT = 64 * 1024
MAX_ITEMS = 10_000


class RecordFault(NginxlintError):
    """A file that does not hold what it says it holds."""


def encode(value: Any, without: frozenset[str] = frozenset()) -> Any:
    """Something JSON can write; `without` names fields of the outermost dataclass that stay out."""
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value) if field.name not in without}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(encode(item) for item in value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be recorded")


def decode(kind: Any, data: Any, where: str, given: dict[str, Any] | None = None) -> Any:
    """The value of this type that `data` stands for; `given` are fields of the outermost dataclass that are not in
    it. Raises RecordFault, which names the place."""
    if is_dataclass(kind):
        return _dataclass(kind, data, where, given or {})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in inner:
            return None
        return decode(next(one for one in inner if one is not type(None)), data, where)
    if origin in (tuple, frozenset):
        if not isinstance(data, list) or len(data) > MAX_ITEMS:
            raise RecordFault(f"{where}: a list of at most {MAX_ITEMS} is wanted")
        if origin is tuple and inner[-1] is not Ellipsis:
            if len(data) != len(inner):
                raise RecordFault(f"{where}: {len(inner)} items are wanted")
            return tuple(decode(one, item, where) for one, item in zip(inner, data, strict=True))
        return origin(decode(inner[0], item, where) for item in data)
    return _plain(kind, data, where)


def _plain(kind: Any, data: Any, where: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        data = float(data)
    # type(), not isinstance: true is no number here
    if type(data) is not kind or (kind is str and len(data) > MAX_TEXT):
        raise RecordFault(f"{where}: {kind.__name__} is wanted, not {str(data)[:40]!r}")
    if kind is float and not -1e12 < data < 1e12:  # NaN fails as well
        raise RecordFault(f"{where}: {data} is out of range")
    if kind is int and not -(2**63) < data < 2**63:
        raise RecordFault(f"{where}: the number is out of range")
    return data


def _dataclass(kind: Any, data: Any, where: str, given: dict[str, Any]) -> Any:
    if not isinstance(data, dict):
        raise RecordFault(f"{where}: an object is wanted, not {str(data)[:40]!r}")
    known = _fields(kind)
    for name in data:
        if name not in known or name in given:
            raise RecordFault(f"{where}: unknown field {str(name)[:40]!r}")
    values = dict(given)
    for name, (hint, field) in known.items():
        if name in values:
            continue
        if name in data:
            values[name] = decode(hint, data[name], f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise RecordFault(f"{where}: the field {name!r} is missing")
    return kind(**values)


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, Field[Any]]]:
    hints = get_type_hints(kind)
    return {field.name: (hints[field.name], field) for field in fields(kind)}
