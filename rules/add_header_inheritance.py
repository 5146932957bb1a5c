from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_line_after, note, replaced

_SECURITY = frozenset((
    "strict-transport-security", "content-security-policy", "x-frame-options", "x-content-type-options",
    "referrer-policy", "permissions-policy", "cross-origin-opener-policy", "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
))  # fmt: skip
_SINCE = (1, 29, 3)


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
            "add_header X-Frame-Options DENY always;\nlocation / {\n    add_header X-A b; # here\n}",
            "add_header X-Frame-Options DENY always;\nlocation / {\n    add_header X-A b;\n"
            "    add_header X-Frame-Options DENY always; # here\n}",
        ),
        Bad(
            "add_header X-A b;\nlocation /a { add_header X-B c; add_header_inherit merge; }\n"
            "location /b {\n    add_header X-B c; # here\n}",
            "add_header X-A b;\nlocation /a { add_header X-B c; add_header_inherit merge; }\n"
            "location /b {\n    add_header X-B c;\n    add_header_inherit merge; # here\n}",
        ),
        Good("add_header X-A b;\nlocation / { add_header X-A c; }"),
        Good("add_header ETag '';\nlocation / { add_header X-A c; }"),
        Good("add_header X-A b;\nlocation / { add_header X-B c; add_header_inherit merge; }"),
        Good("add_header X-A b;\nlocation / { add_header X-B c; add_header_inherit off; }"),
        Good("add_header X-A b;\nlocation / { expires 1d; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for block, own, inherited in replaced(config, *self.directives):
            name = own[0].name
            lost = [line for line in inherited if line.values[1:2] != ("",)]  # an empty one is not sent anywhere
            if not lost or config.scope(block).value(f"{name}_inherit", "on") != "on":
                continue
            merges = f"{name}_inherit" in config.names  # elsewhere nobody says that the nginx is new enough
            names = ", ".join(dict.fromkeys(line.values[0] for line in lost))
            lines = [f"{name}_inherit merge;"] if merges else [f"{line.head_span.text};" for line in lost]
            grave = any(line.values[0].lower() in _SECURITY for line in lost)
            title = f"write {name}_inherit merge" if merges else "repeat the inherited ones"
            yield self.report(
                own[0],
                f"visitors no longer get {names} here: one {name} drops all inherited ones",
                Fix(title, (insert_line_after(own[-1], *lines),), safe=False),
                severity=Severity.WARNING if grave else Severity.INFO,
                label="replaces every one of the blocks around",
                related=tuple(note(line, "not sent here") for line in lost[:4]),
                help=f"write {lines[0]}" if merges else _repeat(config, name, lines),
            )


def _repeat(config: Config, name: str, lines: list[str]) -> str:
    """What works with every nginx, and what with new ones."""
    advice = "repeat them in this block: " + " ".join(lines[:4]) + (" …" if len(lines) > 4 else "")
    return f"{advice} (or, from nginx 1.29.3 on, {name}_inherit merge;)" if config.version >= _SINCE else advice
