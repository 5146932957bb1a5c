from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, compiled, references

_FORGEABLE = (
    "http_x_forwarded_for",
    "http_x_client_ip",
    "http_client_ip",
    "http_forwarded",
    "http_user_agent",
    "http_referer",
)
_ONLY_VARIABLES = r"(\$\w+|\$\{\w+\})+"
_ZONE = r"zone=([^:]+)"


class LimitKeyForgeable(Rule):
    """A limit counts by a header in which every visitor writes what he likes: who means harm is not limited.

    With `limit_req_zone $http_x_forwarded_for …` a request without the header has an empty key and is not counted, and each
    other value is a new visitor. Take `$binary_remote_addr`; behind a proxy say whom nginx may believe:
    `set_real_ip_from NETWORK; real_ip_header X-Forwarded-For;`. Silent where the address is a part of the key.
    Source: documentation of limit_req_zone ("Requests with an empty key value are not accounted") and ngx_http_realip_module.
    """

    id = "limit-key-forgeable"
    group = "security"
    directives = ("limit_req_zone", "limit_conn_zone")
    texts = tuple(_FORGEABLE)
    examples = (
        Bad("limit_req_zone $http_x_forwarded_for zone=a:10m rate=1r/s; # here\nserver { limit_req zone=a; }"),
        Bad("limit_conn_zone $http_user_agent$http_referer zone=a:10m; # here\nserver { limit_conn a 5; }"),
        Good("limit_req_zone $binary_remote_addr$http_user_agent zone=a:1m rate=1r/s; server { limit_req zone=a; }"),
        Good(
            "limit_req_zone $binary_remote_addr zone=a:1m rate=1r/s; limit_req_zone $http_user_agent zone=b:1m rate=9r/s;"
            "server { limit_req zone=a; limit_req zone=b; }"
        ),
        Good("limit_req_zone $http_x_forwarded_for zone=a:1m rate=1r/s; server { deny all; limit_req zone=a; }"),
        Good('limit_req_zone "all $http_user_agent" zone=a:1m rate=1r/s; server { limit_req zone=a; }'),
        Good("limit_req_zone $http_x_api_key zone=a:1m rate=1r/s; server { limit_req zone=a; }"),
        Good("limit_req_zone $http_x_forwarded_for zone=a:1m rate=1r/s; server { listen unix:/s; limit_req zone=a; }"),
        Good(
            "map $http_x_forwarded_for $who { '' $binary_remote_addr; default $http_x_forwarded_for; }"
            " limit_req_zone $who zone=a:1m rate=1r/s; server { limit_req zone=a; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        servers = config.http_servers()
        for zone in config.find(*self.directives):
            names = references(zone.values[0]) if zone.values else []
            if not names or not set(names) <= set(_FORGEABLE) or (servers and all(one.is_local for one in servers)):
                continue
            if compiled(_ONLY_VARIABLES).fullmatch(zone.values[0]) is None or not _decides(config, zone):
                continue
            headers = " and no ".join(
                "-".join(map(str.capitalize, name.split("_")[1:])) for name in dict.fromkeys(names)
            )
            yield self.report(
                zone.args[0],
                f"who sends no {headers} is not counted, and who sends another one each time is never limited",
                help="write $binary_remote_addr, and behind a proxy set_real_ip_from with its network",
            )


def _decides(config: Config, zone: Directive) -> bool:
    """Is it anywhere the only limit, for visitors whom nobody else has let in?"""
    name = next((found[1] for word in zone.values if (found := compiled(_ZONE).match(word))), "")
    user = zone.name.removesuffix("_zone")
    named = [line for line in config.find(user) if name in (word.removeprefix("zone=") for word in line.values)]
    for line in named:
        scope, server = config.scope(line), config.server(line)
        limits = scope.effective("limit_req") + scope.effective("limit_conn")
        if len(limits) == 1 and not scope.is_restricted and (server is None or not server.is_local):
            return True
    return not named
