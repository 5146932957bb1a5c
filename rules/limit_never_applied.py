from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Rule,
    Severity,
    compiled,
    definitions_of,
    fold,
    made_of,
    note,
)

_ZONE = r"zone=([^:]+)"


class LimitNeverApplied(Rule):
    """A limit is set up and counts nobody: no `limit_req` or `limit_conn` names its zone, or its key is always empty.

    `limit_req_zone` only makes the memory; `limit_req zone=NAME;` in a server or location counts. nginx counts no request whose
    key is empty, so a `map` that gives nothing but empty values switches the limit off for all.
    Source: documentation of limit_req_zone ("Requests with an empty key value are not accounted") and limit_conn_zone.
    """

    id = "limit-never-applied"
    group = "security"
    directives = ("limit_req_zone", "limit_conn_zone")
    examples = (
        Bad("limit_req_zone $binary_remote_addr zone=a:10m rate=1r/s; # here\nserver { location / { root /srv; } }"),
        Bad(
            "limit_req_zone $binary_remote_addr zone=login:10m rate=1r/s; # here\n"
            "limit_req_zone $binary_remote_addr zone=b:10m rate=1r/s;\nserver { limit_req zone=b; }"
        ),
        Bad(
            "geo $in { default 0; 10.0.0.0/8 1; }\nmap $in $key { 0 ''; 1 ''; }\n"
            "limit_conn_zone $key zone=a:10m; # here\nserver { limit_conn a 5; }"
        ),
        Good("limit_req_zone $binary_remote_addr zone=a:10m rate=1r/s; server { limit_req zone=a burst=5; }"),
        Good("limit_conn_zone $server_name zone=a:1m; server { limit_conn a 9; }"),
        Good("events { }\nhttp { limit_req_zone $host zone=a:1m rate=1r/s; include conf.d/*.conf; }", context="main"),
        Good(
            "map $arg_a $key { b ''; default $binary_remote_addr; } limit_conn_zone $key zone=a:1m; server { limit_conn a 1; }"
        ),
        Good("limit_req_zone $host zone=a:1m rate=1r/s;", context="http"),
        Good(
            "map $http_user_agent $bot { default ''; include bots.map; } limit_req_zone $bot zone=a:1m rate=1r/s;"
            "server { limit_req zone=a; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        used = {
            name: {word.removeprefix("zone=").partition(":")[0] for line in config.find(name) for word in line.values}
            for name in ("limit_req", "limit_conn")
        }
        whole = not config.partial and "server" in config.names and all(one.files for one in config.includes)
        for zone in config.find(*self.directives):
            name = next((found[1] for word in zone.values if (found := compiled(_ZONE).match(word))), "")
            user = zone.name.removesuffix("_zone")
            if name and name not in used[user]:
                if whole and not config.runs_code:
                    yield self.report(
                        zone,
                        f"no request is limited by {name}: no {user} names it",
                        help=f"write {user} {'zone=' if user == 'limit_req' else ''}{name}{'' if user == 'limit_req' else ' 10'};"
                        " where it shall count, or take this out",
                        severity=Severity.INFO,
                    )
                continue
            values = fold(config, zone, zone.values[0]) if name and _is_known(config, zone.values[0]) else None
            if values and all(value.text == "" for value in values):
                yield self.report(
                    zone,
                    f"no request is limited by {name}: the key {zone.values[0]} is always empty",
                    related=tuple(note(one, "gives an empty key") for value in values[:1] for one in value.origins[:1]),
                    help="give the requests that shall be limited a key, for example $binary_remote_addr",
                )


def _is_known(config: Config, key: str) -> bool:
    """Is all there that makes the key?"""
    makers = [one for name in made_of(config, key) for one in definitions_of(config, name)]
    return "$" in key and not any(one in config.gaps or one.parent in config.gaps for one in makers)
