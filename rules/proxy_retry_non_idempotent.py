from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Pass, Rule, Severity, note, replace

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")
_POST_IS_NOT_RETRIED = (1, 9, 13)


class ProxyRetryNonIdempotent(Rule):
    """A POST that may have been carried out already is sent to the next server again.

    With `non_idempotent` nginx repeats POST, LOCK and PATCH after a timeout or an error; the first server may have booked
    the order by then. Take the word out: requests that were never sent are retried without it. Before nginx 1.9.13
    every POST was repeated.
    Source: documentation of proxy_next_upstream; ngx_http_upstream_next.
    """

    id = "proxy-retry-non-idempotent"
    group = "proxy"
    severity = Severity.WARNING
    directives = tuple(f"{family}_next_upstream" for family in _FAMILIES)
    examples = (
        Bad(
            "upstream app { server a:1; server b:1; }\nserver { location / {\n"
            " proxy_next_upstream error timeout non_idempotent; # here\n proxy_pass http://app;\n} }",
            "upstream app { server a:1; server b:1; }\nserver { location / {\n"
            " proxy_next_upstream error timeout; # here\n proxy_pass http://app;\n} }",
        ),
        Bad(
            "upstream app { server a:1; server b:1; }\nproxy_next_upstream error http_500; # here\n"
            "server { location / { proxy_pass http://app; } }",
            version=(1, 8, 0),
        ),
        Good(
            "upstream app { server a:1; }\nserver { location / { proxy_next_upstream non_idempotent; proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\n"
            "server { location / { proxy_next_upstream error http_500; proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; server b:1; }\nserver { location / { limit_except GET { deny all; }\n"
            "proxy_next_upstream error non_idempotent; proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setting in config.find(*self.directives):
            word = next((word for word in setting.args if word.text == "non_idempotent"), None)
            if word is None and (
                config.version >= _POST_IS_NOT_RETRIED or not any(text.startswith("http_5") for text in setting.values)
            ):
                continue
            for target in config.governed(setting, f"{setting.name.partition('_')[0]}_pass"):
                group = target.group(config)
                if group is None or sum(not peer.down for peer in group.peers) < 2 or _only_reads(target):
                    continue
                fixes: tuple[Fix, ...] = ()
                if word is not None and len(setting.values) > 1:
                    rest = " ".join(text for text in setting.values if text != "non_idempotent")
                    fixes = (
                        Fix(
                            "take non_idempotent out",
                            (replace(setting.head_span, f"{setting.name} {rest}"),),
                            safe=False,
                        ),
                    )
                yield self.report(
                    word or setting,
                    "a POST that failed or timed out is sent to the next server, even if the first one has carried it out",
                    *fixes,
                    related=(note(target.directive, "several servers"),),
                    help="take non_idempotent out" if word is not None else "leave the 5xx statuses out",
                )
                break


def _only_reads(target: Pass) -> bool:
    """Are other methods than GET and HEAD kept out by `limit_except`?"""
    around = target.directive.parent
    return around is not None and any(
        set(block.values) <= {"GET", "HEAD"} and block.child("deny") is not None
        for block in around.blocks("limit_except")
    )
