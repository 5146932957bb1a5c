from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    insert_line_after,
    number_or,
)

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")
_NAMES = ("buffer_size", "buffers", "busy_buffers_size", "temp_file_write_size", "max_temp_file_size")
_OTHER = ("stream", "mail")  # their proxy_buffer_size is another directive, alone
_PAGE = 4096
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_MAXIMUM = 'the maximum of the value of "{0}_buffer_size" and one of the "{0}_buffers"'


class ProxyBuffersInconsistent(Rule):
    """The buffer sizes of one block contradict each other: nginx refuses the configuration.

    Typical: only `proxy_buffer_size` is raised. nginx wants `proxy_busy_buffers_size` (twice the larger buffer if not
    set) to be no less than one buffer and less than all `proxy_buffers` (8 of a page if not set) minus one. It
    compares what is in effect after inheritance, and reports the end of the block. Raise the buffers together:
    `proxy_buffer_size 64k; proxy_buffers 4 64k;`.
    Source: ngx_http_proxy_merge_loc_conf (src/http/modules/ngx_http_proxy_module.c); pages of 4 KB are assumed.
    """

    id = "proxy-buffers-inconsistent"
    group = "proxy"
    severity = Severity.ERROR
    directives = tuple(f"{family}_{name}" for family in _FAMILIES for name in _NAMES)
    examples = (
        Bad(
            "location / {\n    proxy_buffer_size 128k; # here\n}",
            "location / {\n    proxy_buffer_size 128k;\n    proxy_buffers 4 128k; # here\n}",
        ),
        Bad("location / {\n    fastcgi_buffers 1 4k; # here\n}"),
        Bad("proxy_buffers 4 8k;\nlocation / {\n    proxy_busy_buffers_size 64k; # here\n}"),
        Good("location / { proxy_buffer_size 128k; proxy_buffers 4 256k; proxy_busy_buffers_size 256k; }"),
        Good("location / { proxy_buffer_size 8k; }"),
        Bad("proxy_buffer_size 128k; # here\nserver { listen 81; }", context="http"),
        Good("proxy_buffer_size 128k;\nserver { proxy_buffers 4 128k; }", context="http"),
        Good("proxy_buffers 16 64k;\nlocation / { proxy_buffer_size 64k; }"),
        Good("location / { proxy_max_temp_file_size 0; }"),
        Good("stream { server { listen 90; proxy_buffer_size 128k; proxy_pass a:1; } }", context="main"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for family in _FAMILIES:
            setters = [one for name in _NAMES for one in config.find(f"{family}_{name}")]
            for block in dict.fromkeys(setter.parent for setter in setters):
                if block is None or block.name in _OTHER or block.enclosing(*_OTHER) is not None:
                    continue
                if block.name != "http" or _some_server_takes_them(config, family):
                    yield from self._check_scope(config.scope(block), family)

    def _check_scope(self, scope: Scope, family: str) -> Iterator[Diagnostic]:
        sizes = {name: _size(scope.value(f"{family}_{name}")) for name in _NAMES if name != "buffers"}
        buffers = scope.directive(f"{family}_buffers")
        count, one = 8, _PAGE
        if buffers is not None and len(buffers.values) == 2:
            count, one = number_or(buffers.values[0], 0), _size(buffers.values[1]) or 0
        if None in (count, one) or not one:
            return
        largest = max(sizes["buffer_size"] or _PAGE, one)
        busy = sizes["busy_buffers_size"] or 2 * largest
        written, kept = sizes["temp_file_write_size"], sizes["max_temp_file_size"]
        maximum = _MAXIMUM.format(family)
        problem: tuple[str, str] | None = None
        if count < 2:
            problem = f'there must be at least 2 "{family}_buffers"', "at least two buffers are needed"
        elif busy < largest:
            said = f'"{family}_busy_buffers_size" must be equal to or greater than {maximum}'
            problem = said, f"{family}_busy_buffers_size {_text(busy)} is less than one buffer of {_text(largest)}"
        elif busy > (count - 1) * one:
            said = f'"{family}_busy_buffers_size" must be less than the size of all "{family}_buffers" minus one buffer'
            room = f"{count - 1} × {_text(one)}"
            problem = (
                said,
                f"{family}_busy_buffers_size ({_text(busy)} here) is more than the buffers minus one ({room})",
            )
        elif written is not None and written < largest:
            said = f'"{family}_temp_file_write_size" must be equal to or greater than {maximum}'
            problem = said, f"{family}_temp_file_write_size is less than one buffer of {_text(largest)}"
        elif kept and kept < largest:
            said = (
                f'"{family}_max_temp_file_size" must be equal to zero to disable temporary files usage '
                f"or must be equal to or greater than {maximum}"
            )
            problem = said, f"{family}_max_temp_file_size is neither 0 nor at least one buffer of {_text(largest)}"
        cause = _cause(scope, family)
        if problem is None or cause is None:
            return
        fixes: tuple[Fix, ...] = ()
        if (
            not scope.own(f"{family}_buffers")
            and sizes["busy_buffers_size"] is None
            and count >= 2
            and busy > count * one - one
        ):
            line = f"{family}_buffers 4 {_text(largest)};"
            fixes = (Fix(f"write {line}", (insert_line_after(cause, line),), safe=False),)
        yield self.report(
            cause,
            f"nginx refuses these sizes: {problem[1]}",
            *fixes,
            help=f"raise them together: {family}_buffer_size {_text(largest)}; {family}_buffers 4 {_text(largest)};",
            blocks_start=True,
            nginx_message=problem[0],
        )


def _some_server_takes_them(config: Config, family: str) -> bool:
    """Does a server have no size of its own? nginx compares in servers and locations, not in http itself."""
    names = [f"{family}_{name}" for name in _NAMES]
    return any(not any(map(server.scope.own, names)) for server in config.http_servers())


def _cause(scope: Scope, family: str) -> Directive | None:
    """The directive of this block that brought it about."""
    for name in ("buffer_size", "buffers", "busy_buffers_size", "temp_file_write_size", "max_temp_file_size"):
        if own := scope.own(f"{family}_{name}"):
            return own[-1]
    return None


def _size(text: str) -> int | None:
    """Bytes of a size as nginx writes it; None where it is not set or not a size."""
    digits, unit = (text[:-1], text[-1:].lower()) if text[-1:].lower() in _UNITS else (text, "")
    number = number_or(digits, -1)
    return number * _UNITS.get(unit, 1) if number >= 0 else None


def _text(size: int) -> str:
    return f"{size // 1024}k" if size % 1024 == 0 else str(size)
