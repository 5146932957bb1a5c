from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Location,
    Rule,
    Server,
    Severity,
    example_request,
)

_SECRET = "/etc/passwd"
_ENOUGH = 50  # servers to ask about a root that all of them have


class FilesystemRootExposed(Rule):
    """`root /` (or `alias /`) hands out every file of the machine that nginx can read.

    The path of the request is looked for below the root folder: /etc/passwd, keys, the configuration itself. Give the
    site a folder of its own. Reported where the simulator finds that a visitor who asks for /etc/passwd gets it: not in an
    exact location, not in one whose prefix leads to a folder, not where requests are passed on or refused.
    Source: documentation of root and alias.
    """

    id = "filesystem-root-exposed"
    group = "security"
    severity = Severity.ERROR
    directives = ("root", "alias")
    texts = ("\0/\0", "\0//\0", "/../\0", "/..\0", "\0/.\0", "\0/./\0")
    examples = (
        Bad("server { location / { root /; } } # here"),
        Bad("server {\n root /var/..; # here\n location /a { return 404; }\n}"),
        Bad("server { location /files/ { alias /; } } # here"),
        Bad("server {\n root //; # here\n location / { try_files $uri /index.html; }\n}"),
        Good("server { location = /50x.html { root /; } location /usr/share/html/ { root /; } }"),
        Good("server { root /; location / { proxy_pass http://app; } }"),
        Good("server { root /; location / { deny all; } }"),
        Good("server { root /; location / { root /srv; } location ~ \\.php$ { fastcgi_pass app:9000; } }"),
        Good("server { location / { root /srv/; } location /a/ { alias /srv/a/; } }"),
        Good("server { root /; location ~ ^/srv/ { } location / { return 404; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for folder in config.saying(_is_the_root, *self.directives):
            own = config.server(folder)
            for server in config.http_servers()[:_ENOUGH] if own is None else (own,):
                uri = _uri_of_secret(config.location(folder), folder)
                if server.is_whole and _is_handed_out(config, folder, server, uri):
                    yield self.report(
                        folder,
                        f"{uri} hands out {_SECRET}, as it does every file that nginx can read"
                        if uri != _SECRET
                        else f"{_SECRET} is handed out, as is every file that nginx can read",
                        help="name the folder of the site",
                    )
                    break


def _is_handed_out(config: Config, folder: Directive, server: Server, uri: str) -> bool:
    answer = config.router_with(_only_the_secret).route(example_request(server, uri))
    if answer.action != "static" or not answer.certain or answer.block is None:
        return False
    return folder in config.scope(answer.block).effective(folder.name) and _is_secret(answer.steps[-1].text)


def _is_the_root(values: tuple[str, ...]) -> bool:
    path = values[0] if len(values) == 1 else ""
    if path[:1] != "/" or "$" in path:
        return False
    depth = 0
    for part in path.split("/"):
        depth += -min(depth, 1) if part == ".." else part not in ("", ".")
    return depth == 0


def _uri_of_secret(location: Location | None, folder: Directive) -> str:
    """What a visitor asks for to get the file, if the location lets him."""
    if location is None or folder.name == "root" or location.is_regex:
        return _SECRET
    return location.pattern + _SECRET.removeprefix("/" if location.pattern.endswith("/") else "")


def _only_the_secret(path: str) -> str:
    return "file" if _is_secret(path) else ""


def _is_secret(path: str) -> bool:
    return path.endswith(_SECRET) and _is_the_root((path.removeprefix("a file: ").removesuffix(_SECRET) or "/",))
