from nginxlint import (
    KEPT_BY_DEFAULT,
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    delete,
    insert_line_after,
    note,
)

_OLD = (1, 22, 1)


class UpstreamKeepaliveOrder(Rule):
    """A balancing method stands below `keepalive` or `sticky` and puts it out of effect.

    Both wrap the method that stands above them; one that comes later replaces the lot. nginx warns "load balancing
    method redefined", starts, and then opens a connection for each request (or no longer keeps visitors on
    their server). Write the method first, then `sticky`, then `keepalive`. Since nginx 1.29.7 the place of
    `keepalive` does not matter any more.
    Source: documentation of keepalive; nginx change log 1.29.7.
    """

    id = "upstream-keepalive-order"
    group = "upstream"
    severity = Severity.WARNING
    directives = ("ip_hash", "hash", "least_conn", "least_time", "random")
    examples = (
        Bad(
            "upstream app {\n server a:1;\n keepalive 8; # here\n least_conn;\n}",
            "upstream app {\n server a:1;\n  # here\n least_conn;\n keepalive 8;\n}",
            version=_OLD,
        ),
        Bad("upstream app {\n sticky cookie srv; # here\n ip_hash;\n server a:1;\n}", version=(1, 31, 5)),
        Good("upstream app { least_conn; server a:1; keepalive 8; }", version=_OLD),
        Good("upstream app { keepalive 8; server a:1; }", version=_OLD),
        Good("upstream app { keepalive 8; least_conn; server a:1; }", version=(1, 29, 7)),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        names = ("keepalive", "sticky") if config.version < KEPT_BY_DEFAULT else ("sticky",)
        for group in config.upstreams if any(name in config.names for name in names) else ():
            body = group.block.body
            for wrapper in group.block.children(*names):
                method = group.methods[-1] if group.methods else wrapper
                if body.index(method) <= body.index(wrapper):
                    continue
                edits = (delete(wrapper), insert_line_after(method, f"{wrapper.head_span.text};"))
                effect = (
                    "each request opens a connection of its own" if wrapper.name == "keepalive" else "nothing sticks"
                )
                yield self.report(
                    wrapper,
                    f"{wrapper.name} has no effect above {method.name}: {effect}",
                    Fix(f"move {wrapper.name} below {method.name}", edits, safe=True),
                    related=(note(method, "this method replaces what stands above it"),),
                    help=f"write {wrapper.name} below {method.name}",
                    nginx_message="load balancing method redefined",
                )
