from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    note,
    refusing_some,
)

_KEYS = ("ssl_certificate_key", "ssl_password_file", "ssl_session_ticket_key") + tuple(
    f"{family}_ssl_{name}" for family in ("proxy", "grpc", "uwsgi") for name in ("certificate_key", "password_file")
)
_KEY = "the private key, unless only root may read it"
_WHAT = {
    "access_log": "the access log",
    "error_log": "the error log",
    "auth_basic_user_file": "the users and their passwords",
}
_MOST = 8
_SAME = frozenset(("$uri", "${uri}", "$document_uri", "${document_uri}"))
_HANDLERS = ("stub_status", "empty_gif", "js_content", "perl")


class SecretFileServed(Rule):
    """A log, a private key or the file of passwords lies below a folder that is served: everybody may download it.

    With `root /var/www/site` and `access_log /var/www/site/logs/access.log`, /logs/access.log shows who visits the site and every
    secret that stands in a URL. Put such files where no `root` or `alias` leads, or refuse the folder:
    `location ^~ /logs/ { return 404; }`. Not reported: locations that ask for a password, deny somebody, pass on, or are
    `internal`, paths with variables, and relative ones.
    Source: documentation of root and alias; ngx_http_static_module.
    """

    id = "secret-file-served"
    group = "security"
    severity = Severity.ERROR
    directives = ("access_log", "error_log", "auth_basic_user_file", *_KEYS)
    texts = ("/",)
    examples = (
        Bad("server {\n root /var/www/a;\n access_log /var/www/a/logs/access.log; # here\n}"),
        Bad(
            "server {\n listen 443 ssl; ssl_certificate /srv/a/tls/c.pem;\n ssl_certificate_key /srv/a/tls/k.pem; # here\n"
            " location / { root /srv/a/; try_files $uri =404; }\n}"
        ),
        Bad(
            "server {\n root /srv;\n location /staff/ {\n auth_basic a;\n auth_basic_user_file /srv/users; # here\n }\n}"
        ),
        Bad("error_log /var/log/nginx/error.log; # here\nserver { location /logs/ { alias /var/log/nginx/; } }"),
        Good("server { root /var/www/a/public; access_log /var/www/a/logs/access.log; }"),
        Good("server { root /srv; access_log /srv/logs/a.log; location ^~ /logs/ { return 404; } }"),
        Good("server { root /srv; access_log /srv/logs/a.log; location / { proxy_pass http://app; } }"),
        Good("server { root /srv; auth_basic a; auth_basic_user_file /srv/.htpasswd; }"),
        Good("server { root /srv; auth_basic_user_file /srv/.htpasswd; location ~ /\\.ht { deny all; } }"),
        Good("server { root /srv; access_log off; error_log stderr; location /a { root /srv/$host; } }"),
        Good("server { root /srv; access_log /srv/logs/a.log; location / { try_files /index.html @app; } }"),
        Good("server { root /srv; access_log /srv/logs/a.log; location / { try_files /public$uri @app; } }"),
        Good("server { root /srv; access_log /srv/logs/a.log; location / { rewrite ^ /index.php last; } }"),
        Good("server { listen 127.0.0.1:80; root /srv; access_log /srv/logs/a.log; }"),
        Good("server { include refused.conf; access_log /srv/logs/a.log; location / { root /srv; } }"),
        Good(
            "access_log /var/log/nginx/a.log; server { location /logs/ { alias /var/log/nginx/; allow ::1; deny all; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        folders: dict[str, list[Directive]] = {}
        for place in config.find("root", "alias"):
            if (
                place.values
                and place.values[0].startswith("/")
                and "$" not in place.values[0]
                and place.parent is not None
            ):
                folders.setdefault(place.values[0].rstrip("/"), []).append(place)
        folders.pop("", None)  # `root /` is a rule of its own
        choosy = refusing_some(config) if folders else set()
        for secret in config.find(*self.directives) if folders else ():
            path = secret.values[0] if secret.values else ""
            at = path.rfind("/")
            while path.startswith("/") and "$" not in path and at > 0:
                served = next(
                    filter(None, (_served(config, one, path, choosy) for one in folders.get(path[:at], ())[:_MOST])),
                    None,
                )
                if served is not None:
                    place, uri = served
                    yield self.report(
                        secret.args[0],
                        f"everybody may download {_WHAT.get(secret.name, _KEY)}: {uri}",
                        related=(note(place, "this folder is served"),),
                        severity=None if secret.name in _WHAT else Severity.WARNING,
                        help=f"move it out of {place.values[0]}, or write location = {uri} {{ return 404; }}",
                    )
                    break
                at = path.rfind("/", 0, at)


def _served(config: Config, place: Directive, path: str, choosy: set[Block]) -> tuple[Directive, str] | None:
    """By which URI a root or alias serves a file to everybody."""
    server, location = config.server(place), config.location(place)
    if server is None or server.kind != "http" or place.parent is None or place.parent.has_gap:
        return None
    uri = path[len(place.values[0].rstrip("/")) :]
    if place.name == "alias":
        if location is None or location.is_regex or not location.pattern.endswith("/"):
            return None
        uri = location.pattern + uri[1:]
    answering = config.router.locations(server).find(uri).location
    block: Block = server.block if answering is None else answering.block
    scope = config.scope(block)
    if scope.directive(place.name) is not place or (place.name == "root" and scope.effective("alias")):
        return None
    if answering is not None and (answering.internal or block.child(*PASSES)):
        return None
    around = (block, *block.ancestors())
    if server.is_local or not config.gaps.isdisjoint(around):
        return None  # nobody from elsewhere, or a location that refuses may stand in what was not found
    if scope.guards or any("_by_lua" in one.name for one in block.body):
        return None
    if block.child("return", "rewrite", *_HANDLERS) or server.block.child("return", "rewrite"):
        return None
    if any(
        test.child("return", "rewrite") and "uri" in " ".join(test.values)
        for one in around
        for test in one.blocks("if")
    ):
        return None
    tried = scope.directive("try_files")
    if tried is not None and _SAME.isdisjoint(tried.values[:-1]):
        return None
    if not choosy.isdisjoint((block, *block.ancestors())):
        return None
    return place, uri
