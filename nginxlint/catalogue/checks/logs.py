"""`log_format`, `access_log` and `error_log`, syslog targets included."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_url
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.names import LOGGED, logged_name
from nginxlint.catalogue.numbers import parse_number, parse_size, parse_time
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllFine, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")
_DEBUG_LEVELS = frozenset(f"debug_{part}" for part in ("core", "alloc", "mutex", "event", "http", "mail", "stream"))
_FACILITIES = frozenset(
    ("kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp")
) | frozenset(("audit", "alert", "cron", *(f"local{number}" for number in range(8))))
_SEVERITIES = frozenset(_LEVELS)


def _log_format(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    formats = context.state.setdefault(f"log_formats.{context.subsystem}", {})
    assert isinstance(formats, dict)
    first = formats.setdefault(values[0], directive)
    if first is not directive or (values[0] == "combined" and context.subsystem == "http"):
        built_in = first is directive
        yield context.refuse(
            "log-format-duplicate",
            directive,
            'the log format "combined" is built in' if built_in else f'the log format "{values[0]}" is defined twice',
            f'duplicate "log_format" name "{values[0]}"',
            word=directive.args[0],
            related=() if built_in else (Note(first.head_span, "defined here"),),
            help=("give this format another name",),
        )
        return
    if values[1].startswith("escape=") and values[1][7:] not in ("default", "json", "none"):
        yield fault(
            context,
            directive,
            1,
            f'unknown log format escaping "{values[1][7:]}"',
            f'escape is default, json or none, not "{values[1][7:]}"',
        )
        return
    for index in range(2 if values[1].startswith("escape=") else 1, len(values)):
        if "$" in values[index] and (refusal := _broken_variable(context, directive, index)):
            yield refusal
            return


def _broken_variable(context: Context, directive: Directive, index: int) -> Refusal | None:
    """`ngx_http_log_compile_format`: what is said of a $ without a name differs from what other texts get."""
    text = directive.values[index]
    for match in LOGGED.finditer(text):
        if logged_name(match):
            continue
        if match[1] and not match[4] and (match[2] or match.end() < len(text)):
            said, message = f'the closing bracket in "{match[2]}" variable is missing', "the brace is never closed"
        else:
            said, message = f'invalid parameter "{text[match.start() :]}"', "a $ without the name of a variable"
        return fault(
            context,
            directive,
            index,
            said,
            f"{message} in this log format",
            "nginx cannot log a literal $: define one with map or geo",
            rule="variable-invalid",
        )
    return None


def _access_log(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if values[0] == "off":
        if len(values) > 1:
            yield _unknown(context, directive, 1, "nothing may follow `access_log off`")
        return
    syslog = values[0].startswith("syslog:")
    if syslog:
        refusal = _syslog(context, directive)
        if refusal is not None:
            yield refusal
            return
    if len(values) == 1:
        if context.subsystem == "stream":
            yield fault(
                context,
                directive,
                -1,
                "log format is not specified",
                "stream has no built-in log format",
                "define one with log_format, and name it after the path",
            )
        return
    if context.complete and not _is_defined(context, values[1]):
        yield from _undefined(directive, context)
        return
    size = flush = level = 0
    for index in range(2, len(values)):
        text = values[index]
        name, equals, value = text.partition("=")
        number: int | None = 1
        if name == "buffer" and equals:
            size = number = parse_size(value) or 0
            what = "buffer size"
        elif name == "flush" and equals:
            flush = number = parse_time(value) or 0
            what = "flush time"
        elif text == "gzip":
            level, size = 1, size or 65536
        elif name == "gzip" and equals:
            number = parse_number(value)
            level = number = number if number and number <= 9 else 0
            what = "compression level"
            size = size or 65536
        elif name != "if" or not equals:
            yield _unknown(context, directive, index, "the parameters are buffer=, flush=, gzip=, if=")
            return
        if not number:
            yield fault(
                context,
                directive,
                index,
                f'invalid {what} "{value}"',
                f'"{value}" is no {what}',
                {"gzip": "gzip=1 to gzip=9", "flush": "flush=5m"}.get(name, "buffer=64k"),
            )
            return
    yield from _buffering(directive, context, syslog, size, flush, level)


def _is_defined(context: Context, name: str) -> bool:
    formats = context.state.get(f"log_formats.{context.subsystem}", {})
    assert isinstance(formats, dict)
    return name in formats or (name == "combined" and context.subsystem == "http")


def _undefined(directive: Directive, context: Context) -> Iterator[Refusal]:
    """One finding for a format, however often it is used: the other places go along."""
    name = directive.values[1]
    known = context.state.setdefault(f"log_formats.undefined.{context.subsystem}", {})
    assert isinstance(known, dict)
    first: Refusal | None = known.get(name)
    if first is not None:
        first.related = (*first.related, Note(directive.args[1].span, "also used here"))
        return
    from nginxlint.catalogue.nearest import nearest

    formats = context.state.get(f"log_formats.{context.subsystem}", {})
    assert isinstance(formats, dict)
    close = nearest(name, list(formats)) if context.may_guess() else ""
    later = next((one for one in _later_formats(directive) if one.values and one.values[0] == name), None)
    if later is not None:
        message, help = (
            f'the log format "{name}" is defined only below: nginx reads from top to bottom',
            ("move log_format above the first access_log that uses it",),
        )
    else:
        message = f'no log_format defines "{name}"'
        help = (
            f'did you mean "{close}"?' if close else f"define `log_format {name} '…';` in {context.subsystem} {{}}",
        )
    refusal = context.refuse(
        "log-format-undefined",
        directive,
        message,
        f'unknown log format "{name}"',
        word=directive.args[1],
        related=() if later is None else (Note(later.head_span, "defined here"),),
        help=help,
    )
    known[name] = refusal
    yield refusal


def _later_formats(directive: Directive) -> Iterator[Directive]:
    block = directive.enclosing("http", "stream")
    for child in block.body if block is not None else ():
        if child.name == "log_format":
            yield child


def _unknown(context: Context, directive: Directive, index: int, advice: str) -> Refusal:
    text = directive.values[index]
    return fault(
        context,
        directive,
        index,
        f'invalid parameter "{text}"',
        f'access_log cannot read "{text}"',
        advice + ("; the format is one name, defined by log_format" if index > 1 and "$" in text else ""),
    )


def _buffering(
    directive: Directive, context: Context, syslog: bool, size: int, flush: int, level: int
) -> Iterator[Refusal]:
    path = directive.values[0]
    if flush and not size:
        yield fault(
            context,
            directive,
            -1,
            f'no buffer is defined for access_log "{path}"',
            "flush= needs a buffer to flush",
            "add buffer=64k",
        )
        return
    if not size:
        return
    if "$" in path:
        yield fault(
            context,
            directive,
            0,
            "buffered logs cannot have variables in name",
            "a log whose path has variables cannot be buffered",
            "remove buffer= and gzip=, or write a fixed path",
        )
        return
    if syslog:
        yield fault(
            context,
            directive,
            -1,
            "logs to syslog cannot be buffered",
            "a log to syslog cannot be buffered",
            "remove buffer=, flush= and gzip=",
        )
        return
    buffered = context.state.setdefault("logs.buffered", {})
    assert isinstance(buffered, dict)
    known = buffered.setdefault(path, ((size, flush, level), directive))
    if known[0] != (size, flush, level):
        yield context.refuse(
            "log-conflict",
            directive,
            f'"{path}" is already written with other buffer parameters',
            f'access_log "{path}" already defined with conflicting parameters',
            word=directive.args[0],
            related=(Note(known[1].head_span, "the other parameters"),),
            help=("write the same buffer=, flush= and gzip= wherever this file is used",),
        )


def _error_log(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if values[0].startswith("memory:"):
        text = values[0][7:]
        if not parse_size(text):
            yield fault(context, directive, 0, f'invalid buffer size "{text}"', f'"{text}" is no size', "memory:32m")
            return
    elif values[0].startswith("syslog:"):
        refusal = _syslog(context, directive)
        if refusal is not None:
            yield refusal
            return
    level = False
    debug = False
    for index in range(1, len(values)):
        text = values[index]
        if text in _LEVELS:
            if level or debug:
                yield fault(
                    context,
                    directive,
                    index,
                    f'duplicate log level "{text}"',
                    "error_log takes one level: it includes all that are graver",
                    "keep one level",
                )
                return
            level = True
        elif text in _DEBUG_LEVELS and not level:
            debug = True
        elif text == "json" and context.version >= (1, 31, 0):
            continue
        else:
            wanted = ", ".join(_LEVELS)
            yield fault(
                context,
                directive,
                index,
                f'invalid log level "{text}"',
                f'"{text}" is no log level' if text not in _DEBUG_LEVELS else f"{text} cannot follow another level",
                f"the levels are {wanted}",
            )
            return


def _syslog(context: Context, directive: Directive) -> Refusal | None:
    """`ngx_syslog_process_conf`."""
    seen: set[str] = set()
    for part in directive.values[0][7:].split(","):
        name, equals, value = part.partition("=")
        nginx_message = ""
        if part == "nohostname":
            continue
        if not equals or name not in ("server", "facility", "severity", "tag"):
            nginx_message = f'unknown syslog parameter "{part}"'
        elif name in seen:
            nginx_message = f'duplicate syslog "{name}"'
        elif name == "server":
            url = parse_url(value, default_port=514)
            if url.error:
                nginx_message = f'{url.error} in syslog server "{value}"'
        elif name == "facility" and value.lower() not in _FACILITIES:
            nginx_message = f'unknown syslog facility "{value}"'
        elif name == "severity" and value.lower() not in _SEVERITIES:
            nginx_message = f'unknown syslog severity "{value}"'
        elif name == "tag" and len(value) > 32:
            nginx_message = "syslog tag length exceeds 32"
        elif name == "tag" and not all(c == "_" or (c.isascii() and c.isalnum()) for c in value):
            nginx_message = 'syslog "tag" only allows alphanumeric characters and underscore'
        if nginx_message:
            break
        seen.add(name)
    else:
        if "server" in seen:
            return None
        nginx_message = "no syslog server specified"
    return fault(
        context,
        directive,
        0,
        nginx_message,
        f"the syslog target cannot be read: {nginx_message}",
        f"write {directive.name} syslog:server=192.0.2.1:514,facility=local7,tag=nginx,severity=info",
    )


def _all_logs_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Are the formats defined already, and is none buffered, so that nothing has to be remembered?"""
    return all(
        (len(values) < 2 or _is_defined(context, values[1]))
        and all(option.startswith("if=") for option in values[2:])
        and not list(_access_log(example, context))
        for values, example in examples.items()
    )


CHECKS: dict[str, Check] = {"log_format": _log_format, "access_log": _access_log, "error_log": _error_log}
ALL_FINE: dict[str, AllFine] = {"access_log": _all_logs_fine}
