from nginxlint import PASSES, Bad, Config, Diagnostic, Fix, Good, Iterator, Pass, Rule, Severity, delete

_CODE = ("js_content", "js_set", "js_access", "content_by_lua", "access_by_lua", "rewrite_by_lua", "set_by_lua", "perl")


class UpstreamUnused(Rule):
    """An upstream group that nothing passes requests to.

    Its host names are still looked up when nginx starts, so a group nobody uses can keep nginx from starting; and an
    edit of its servers has no effect. Take it out, or mend the name where it should be used.
    """

    id = "upstream-unused"
    group = "upstream"
    severity = Severity.INFO
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream old { server a:1; } # here\nserver { location / { proxy_pass http://new; } }",
            " # here\nserver { location / { proxy_pass http://new; } }",
        ),
        Good("upstream app { server a:1; }\nserver { location / { proxy_pass http://app; } }"),
        Good("upstream app { server a:1; }\nserver { set $b app; location / { proxy_pass http://$b; } }"),
        Good("upstream app { server a:1; }\nserver { location / { proxy_pass http://$arg_b; } }"),
        Good("upstream app { server a:1; }\nmap $host $b { default app; }"),
        Good("events {}\nhttp { upstream app { server a:1; } include /etc/nginx/conf.d/*.conf; }", context="main"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial or any(name.startswith(_CODE) for name in config.names):
            return
        if any(not include.files and not include.problems for include in config.includes):
            return  # a pattern that matches nothing here may match the user of the group on the server
        used: set[str] = set()
        for target in config.passes(*PASSES):
            if "$" not in target.text:
                used.add(target.authority.lower() if target.unix is not None else target.host.lower())
                continue
            values = config.fold(target.directive, target.text)
            if values is None:
                return  # any group may be meant
            used.update(Pass(target.directive, value.text).authority.lower() for value in values)
        for block in config.blocks("map", "split_clients", "geo"):
            used.update(line.values[-1].lower() for line in block.body if line.values)
        for upstream in config.upstreams:
            if upstream.name and upstream.name.lower() not in used:
                yield self.report(
                    upstream.block.args[0],
                    f'nothing passes requests to the group "{upstream.name}"',
                    Fix("delete the group", (delete(upstream.block),), safe=False),
                    help="take it out, or mend the name where it should be used",
                )
