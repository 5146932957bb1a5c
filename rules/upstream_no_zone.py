from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    Upstream,
    insert_into,
    note,
)


class UpstreamNoZone(Rule):
    """Several workers balance a group, and each counts for itself: the group has no shared memory `zone`.

    `max_conns=100` then allows 100 connections per worker; `least_conn`, `least_time` and `random two` compare only
    the connections of their own worker. Write `zone NAME 64k;` in the group (nginx 1.9.0).
    Source: documentation of zone, max_conns and random.
    """

    id = "upstream-no-zone"
    group = "upstream"
    severity = Severity.INFO
    directives = ("worker_processes",)
    examples = (
        Bad(
            "worker_processes 4;\nevents {}\nhttp {\n    upstream app {\n        server a:1 max_conns=100; # here\n    }\n}",
            "worker_processes 4;\nevents {}\nhttp {\n    upstream app {\n        zone app 64k;\n"
            "        server a:1 max_conns=100; # here\n    }\n}",
        ),
        Bad("worker_processes auto;\nevents {}\nhttp { upstream app { least_conn; server a:1; server b:1; } # here\n}"),
        Good("worker_processes 4;\nevents {}\nhttp { upstream app { zone app 64k; server a:1 max_conns=100; } }"),
        Good("worker_processes 1;\nevents {}\nhttp { upstream app { server a:1 max_conns=100; } }"),
        Good("worker_processes 4;\nevents {}\nhttp { upstream app { ip_hash; server a:1; server b:1; } }"),
        Good("worker_processes 4;\nevents {}\nhttp { upstream app { least_conn; server 10.0.0.1:1; } }"),
        Good("events {}\nhttp { upstream app { server a:1 max_conns=100; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        workers = next(config.find("worker_processes"), None)
        if workers is None or workers.values[:1] in ((), ("1",)) or not _somebody_counts(config):
            return
        for group in config.upstreams:
            if group.block.child("zone") is not None or group.block.has_gap:
                continue
            found = _counted_per_worker(group)
            if found is None:
                continue
            place, what = found
            line = f"zone {group.name} 64k;"
            yield self.report(
                place,
                f'{what}: the group "{group.name}" has no zone, so each worker counts for itself',
                Fix(f"write {line}", (insert_into(group.block, line),), safe=False),
                related=(note(workers, "several workers"),),
                help=f"write {line} in the group",
            )


def _somebody_counts(config: Config) -> bool:
    """Is there any limit or method that counts connections?"""
    by_method = ("least_conn", "least_time", "random")
    return config.concerns(by_method) or config.concerns(("server",), ("max_conns",))


def _counted_per_worker(group: Upstream) -> tuple[Directive, str] | None:
    """What each worker counts for itself, and where that is asked for."""
    limited = next((peer for peer in group.peers if peer.option("max_conns")), None)
    if limited is not None:
        number = limited.option("max_conns")
        return limited.directive, f"max_conns={number} allows {number} connections per worker"
    for method in group.methods[-1:]:
        if len(group.peers) > 1 and (method.name.startswith("least_") or method.values[:1] == ("two",)):
            return method, f"{' '.join((method.name, *method.values))} compares only connections of the own worker"
    return None
