from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note, number_or

_WORKER_CONNECTIONS = 512


class UpstreamKeepaliveTooBig(Rule):
    """The idle connections to upstreams may take most of the connections a worker has.

    `keepalive` counts per worker, and idle connections count against `worker_connections` (512 if not set) like those
    of visitors; nginx does not close them to make room. What is left is too little: "worker_connections are not
    enough", and requests get 500. Keep fewer connections, or raise `worker_connections`.
    Source: documentation of keepalive and worker_connections; ngx_drain_connections (src/core/ngx_connection.c).
    """

    id = "upstream-keepalive-too-big"
    group = "performance"
    severity = Severity.INFO
    directives = ("keepalive",)
    examples = (
        Bad("events { worker_connections 512; }\nhttp { upstream app { server a:1; keepalive 400; } # here\n}"),
        Bad(
            "events {}\nhttp { upstream app { server a:1; keepalive 200; }\n"
            "upstream two { server a:2; keepalive 300; } # here\n}"
        ),
        Good("events { worker_connections 1024; }\nhttp { upstream app { server a:1; keepalive 400; } }"),
        Good("events {}\nhttp { upstream app { server a:1; keepalive 64; } }"),
        Good("include events.conf;\nhttp { upstream app { server a:1; keepalive 1000; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        limit = next(config.find("worker_connections"), None)
        if limit is None and config.partial:
            return
        text = limit.values[0] if limit is not None and limit.values else ""
        available = number_or(text, _WORKER_CONNECTIONS)
        sizes = [(_size(values), pools) for values, pools in config.alike("keepalive").groups() if _size(values)]
        total = sum(size * len(pools) for size, pools in sizes)
        if 2 * total <= available:
            return
        largest = max(sizes, key=lambda one: one[0])[1][0]
        several = sum(len(pools) for _, pools in sizes) > 1
        sum_of = f"all keepalive together make {total}" if several else f"keepalive is {total}"
        yield self.report(
            largest,
            f"idle connections may take more than half of a worker's {available} connections ({sum_of}): "
            "under load visitors get 500",
            related=(note(limit, "connections of a worker, visitors included"),) if limit is not None else (),
            help=f"keep fewer, or write worker_connections {_round_up(4 * total)};",
        )


def _size(values: tuple[str, ...]) -> int:
    return number_or(values[0], 0) if values else 0


def _round_up(number: int) -> int:
    return 1 << (number - 1).bit_length()
