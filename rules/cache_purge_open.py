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
    definitions_of,
    made_of,
    opening,
    references,
    refusing_some,
)

_NAMES = tuple(f"{family}_cache_purge" for family in ("proxy", "fastcgi", "scgi", "uwsgi"))
_FREE = ("request_method", "request_uri", "uri", "args", "is_args")  # nothing in them a visitor would have to know
_FREE_BEGINNINGS = ("arg_", "cookie_", "http_")


class CachePurgeOpen(Rule):
    """Everybody may purge the cache: one request a page, and each page is made anew by the backend.

    `PURGE` is a method as every other; whoever sends it (`curl -X PURGE`), or asks for the location that purges,
    takes the page out of the cache, again and again, until the backend is down. Name who may: `allow 127.0.0.1; deny all;` in
    that location, `proxy_cache_purge PURGE from 127.0.0.1;` with the module ngx_cache_purge, or a variable that is made of a
    `geo` of addresses with NGINX Plus.
    Source: documentation of proxy_cache_purge ("purging cached files"); ngx_cache_purge, README.
    """

    id = "cache-purge-open"
    group = "security"
    directives = _NAMES
    examples = (
        Bad(
            "map $request_method $purge { PURGE 1; default 0; }\n"
            "server { location / {\n proxy_cache z;\n proxy_cache_purge $purge; # here\n proxy_pass http://app;\n} }"
        ),
        Bad("location ~ /purge(/.*) {\n proxy_cache_purge z $scheme$proxy_host$1; # here\n}"),
        Bad("location / { fastcgi_cache z; fastcgi_cache_purge PURGE from all; fastcgi_pass a:9; } # here"),
        Bad("location / { proxy_cache z; proxy_cache_purge $http_x_purge; proxy_pass http://app; } # here"),
        Bad(
            "server {\n set $purge 0; if ($request_method = PURGE) { set $purge 1; }\n"
            " location / { proxy_cache z; proxy_cache_purge $purge; proxy_pass http://app; } # here\n}"
        ),
        Good("location ~ /purge(/.*) { allow 127.0.0.1; deny all; proxy_cache_purge z $1; }"),
        Good("location / { proxy_cache z; proxy_cache_purge PURGE from 127.0.0.1 10.0.0.0/8; proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_cache_purge off; proxy_pass http://app; }"),
        Good(
            "geo $in { default 0; 10.0.0.0/8 1; } map $request_method $purge { PURGE $in; default 0; }"
            "server { location / { proxy_cache z; proxy_cache_purge $purge; proxy_pass http://app; } }"
        ),
        Good(
            "map $http_x_key $purge { long-secret 1; default 0; }"
            "server { location / { proxy_cache z; proxy_cache_purge $purge; proxy_pass http://app; } }"
        ),
        Good(
            "location / { limit_except GET HEAD { allow 127.0.0.1; deny all; } proxy_cache z; proxy_cache_purge $request_method;"
            " proxy_pass http://app; }"
        ),
        Good("location ~ /purge(/.*) { if ($remote_addr != 127.0.0.1) { return 403; } proxy_cache_purge z $1; }"),
        Good(
            "server { proxy_cache_purge $request_method;"
            " location / { allow 127.0.0.1; deny all; proxy_cache z; proxy_pass http://app; } }"
        ),
        Good("location ~ /purge(/.*) { internal; proxy_cache_purge z $1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for purge in config.find(*self.directives):
            if _everybody_may(config, purge) and any(
                _is_open(config, place, choosy) for place in _places(config, purge)
            ):
                yield self.report(
                    purge,
                    "everybody may take pages out of the cache, and so have the backend make each of them anew",
                    help="write allow 127.0.0.1; deny all; where it purges, or PURGE from 127.0.0.1"
                    if "$" not in purge.values[0]
                    else "make the variable of a geo of the addresses that may",
                )


def _everybody_may(config: Config, purge: Directive) -> bool:
    values = purge.values
    if not values or values[0] == "off":
        return False
    if not values[0].startswith("$"):
        return len(values) == 2 or values[1:] == ("from", "all")  # zone and key: a location of its own
    return all(_is_free(config, text) for text in values)


def _is_free(config: Config, text: str) -> bool:
    """Does it hang on nothing but what every visitor may say?"""
    for name in made_of(config, text):
        made = definitions_of(config, name)
        if made and all(one.name in ("set", "map") for one in made):
            continue
        if name not in _FREE and not (name.startswith(_FREE_BEGINNINGS) and references(text) == [name]):
            return False
    return True


def _places(config: Config, purge: Directive) -> Iterator[Block]:
    """The blocks it is in effect in: its location, or those of its server that pass requests on to a backend."""
    block, server = purge.parent, config.server(purge)
    servers = [server] if server is not None else config.http_servers()
    if block is not None and (block.name == "location" or not any(one.locations for one in servers)):
        yield block
        return
    for location in (one for server in servers for one in server.all_locations()):
        if location.scope.directive(purge.name) is purge and location.block.child(*PASSES):
            yield location.block


def _is_open(config: Config, block: Block, choosy: set[Block]) -> bool:
    """Is nobody kept out?"""
    around = (block, *block.ancestors())
    location, server, scope = config.location(block), config.server(block), config.scope(block)
    if not config.gaps.isdisjoint(around) or not choosy.isdisjoint(around) or block.child("limit_except"):
        return False
    if (location is not None and location.internal) or (server is not None and server.is_local):
        return False
    if scope.directive("modsecurity") is not None:
        return False  # its rules mostly name the methods that are let in
    allowed = scope.effective("allow")
    opened = bool(allowed) and allowed[0].parent is not None and opening(allowed[0].parent) is not None
    return not any(guard.name != "deny" or not opened for guard in scope.guards)
