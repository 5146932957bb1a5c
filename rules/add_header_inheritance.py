from collections.abc import Iterator

from nginxlint import Bad, Block, Config, Diagnostic, Fix, Good, Rule, Severity, insert_line_after, note, overriding

_SECURITY = frozenset((
    "strict-transport-security", "content-security-policy", "x-frame-options", "x-content-type-options",
    "referrer-policy", "permissions-policy", "cross-origin-opener-policy", "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
))  # fmt: skip
_INHERIT_SINCE = (1, 29, 3)


class AddHeaderInheritance(Rule):
    """One `add_header` in a block drops all those of the blocks around it.

    The directive is inherited as a whole set: a location that adds Cache-Control no longer sends the security headers
    of its server. Repeat them, or from nginx 1.29.3 on write `add_header_inherit merge;`.
    Source: ngx_http_headers_merge_conf (ngx_http_headers_filter_module), documentation of add_header.
    """

    id = "add-header-inheritance"
    group = "correctness"
    severity = Severity.WARNING
    directives = ("add_header", "add_trailer")
    examples = (
        Bad(
            "add_header X-Frame-Options DENY;\nlocation / {\n    add_header X-A b; # here\n}",
            "add_header X-Frame-Options DENY;\nlocation / {\n    add_header X-A b;\n"
            "    add_header_inherit merge; # here\n}",
        ),
        Bad(
            "add_header X-Frame-Options DENY always;\nlocation / {\n    add_header X-A b; # here\n}",
            "add_header X-Frame-Options DENY always;\nlocation / {\n    add_header X-A b;\n"
            "    add_header X-Frame-Options DENY always; # here\n}",
            version=(1, 26, 0),
        ),
        Good("add_header X-A b;\nlocation / { add_header X-A c; }"),
        Good("add_header X-A b;\nlocation / { add_header X-B c; add_header_inherit merge; }"),
        Good("add_header X-A b;\nlocation / { add_header X-B c; add_header_inherit off; }"),
        Good("add_header X-A b;\nlocation / { expires 1d; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for name in self.directives:
            for block in overriding(config, name):
                yield from self._check_block(block, config, name)

    def _check_block(self, block: Block, config: Config, name: str) -> Iterator[Diagnostic]:
        scope = config.scope(block)
        inherited = scope.outer.effective(name) if scope.outer is not None else []
        if not inherited or scope.value(f"{name}_inherit", "on") != "on":
            return
        own = scope.own(name)
        kept = {directive.values[0].lower() for directive in own if directive.values}
        lost = [one for one in inherited if one.values and one.values[0].lower() not in kept]
        if not lost:
            return
        names = ", ".join(dict.fromkeys(directive.values[0] for directive in lost))
        lines = tuple(f"{directive.head_span.text};" for directive in lost)
        merges = config.version >= _INHERIT_SINCE
        edit = insert_line_after(own[-1], *([f"{name}_inherit merge;"] if merges else lines))
        title = f"write {name}_inherit merge" if merges else "repeat the inherited ones"
        grave = any(directive.values[0].lower() in _SECURITY for directive in lost)
        yield self.report(
            own[0],
            f"visitors no longer get {names} here: one {name} drops all inherited ones",
            Fix(title, (edit,), safe=False),
            severity=Severity.WARNING if grave else Severity.INFO,
            label="replaces every one of the blocks around",
            related=tuple(note(directive, "not sent here") for directive in lost[:4]),
            help=f"write {name}_inherit merge;" if merges else "repeat them in this block: " + " ".join(lines[:4]),
        )
