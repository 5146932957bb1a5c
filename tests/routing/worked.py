"""The worked rows: configurations, requests and what nginx was seen to do with them (its outcome in one line).

`{up}` and `{other}` are backends, `{www}` a folder with files, `{sock}` a backend on a unix socket, HERE the
scheme, host and port of the request. A row with `listen` in its text brings servers of its own.
"""

from __future__ import annotations

from tests.oracle.nginx import VERSION


class Row:
    """One configuration and (request, outcome) pairs. A request is `[METHOD] PATH [Name:value…]`; an outcome may
    begin with the mark of the place that answers: `mark | outcome`."""

    def __init__(self, name: str, text: str, *cases: tuple[str, str]) -> None:
        self.name = name
        self.text = text
        self.cases = cases


_API = "location /api/ { proxy_pass http://{up}; }"
_API_SLASH = "location /api/ { proxy_pass http://{up}/; }"
_OLD = "location /old/ { rewrite ^/old/(.*)$ /new/$1%s break; proxy_pass http://{up}%s; }"
_B = "set $b {up};"

# upstream-semantics.md D.1
PROXY_PASS = [
    Row("1", _API, ("/api/users?x=1&y=2", "up GET /api/users?x=1&y=2")),
    Row("2", _API, ("/api/a%2Fb", "up GET /api/a%2Fb"), ("/api//x/../y", "up GET /api//x/../y")),
    Row("3", _API, ("/api/%2e%2e/z", "404")),
    Row("4", _API, ("/api?x=1", "301 HERE/api/?x=1")),
    Row("5", _API_SLASH, ("/api/users?x=1", "up GET /users?x=1")),
    Row("6", _API_SLASH, ("/api/a%20b", "up GET /a%20b"), ("/api/a%2Fb", "up GET /a/b"), ("/api/a%3Fb", "up GET /a%3Fb")),
    Row("7", _API_SLASH, ("/api//x", "up GET /x"), ("/api/x/../y", "up GET /y"), ('/api/a"b', 'up GET /a"b')),
    Row("8", "location /api/ { proxy_pass http://{up}/v1/; }", ("/api/users", "up GET /v1/users")),
    Row("9", "location /api/ { proxy_pass http://{up}/v1; }", ("/api/users", "up GET /v1users")),
    Row("10", "location /api { proxy_pass http://{up}/; }",
        ("/api/users", "up GET //users"), ("/apix", "up GET /x"), ("/api", "up GET /")),
    Row("11", "location /api { proxy_pass http://{up}/v1/; }",
        ("/api/users", "up GET /v1//users"), ("/apiusers", "up GET /v1/users")),
    Row("12", "location /api { proxy_pass http://{up}; }", ("/apix", "up GET /apix")),
    Row("13", "location = /one { proxy_pass http://{up}/two; }", ("/one?q=1", "up GET /two?q=1")),
    Row("14", "location = /one { proxy_pass http://{up}; }", ("/%6fne", "up GET /%6fne")),
    Row("15", "location ~ ^/re/(.*)$ { proxy_pass http://{up}; }", ("/re/a//b", "up GET /re/a//b")),
    Row("16", "location ~ ^/re/(.*)$ { proxy_pass http://{up}/new/$1; }",
        ("/re/a%20b", "up GET /new/a b"), ("/re/ab?x=1", "up GET /new/ab")),
    Row("17", "location ~ ^/re/(.*)$ { proxy_pass http://{up}/new/$1$is_args$args; }", ("/re/ab?x=1", "up GET /new/ab?x=1")),
    Row("18", f"{_B} location /v/ {{ proxy_pass http://$b; }}", ("/v/a%20b?x=1", "up GET /v/a%20b?x=1")),
    Row("19", f"{_B} location /v/ {{ proxy_pass http://$b/; }}", ("/v/users?x=1", "up GET /")),
    Row("20", f"{_B} location /v/ {{ proxy_pass http://$b$request_uri; }}", ("/v/a%20b//c?x=1", "up GET /v/a%20b//c?x=1")),
    Row("21", f"{_B} location /v/ {{ proxy_pass http://$b$uri; }}", ("/v/a%20b?x=1", "up GET /v/a b")),
    Row("22", f"{_B} location /v/ {{ proxy_pass http://$b?k=v; }}", ("/v/ab?x=1", "up GET /?k=v")),
    Row("23", _OLD % ("", ""), ("/old/a%20b?x=1", "up GET /new/a%20b?x=1"), ("/old/a%2Fb", "up GET /new/a/b")),
    Row("24", _OLD % ("", "/pfx/"), ("/old/a?x=1", "up GET /new/a?x=1")),
    Row("25", _OLD % ("?y=2", ""), ("/old/a?x=1", "up GET /new/a?y=2&x=1")),
    Row("26", _OLD % ("?y=2?", ""), ("/old/a?x=1", "up GET /new/a?y=2")),
    Row("27", "location /old/ { rewrite ^/old/(.*)$ /new/$1 last; } location /new/ { proxy_pass http://{up}/n/; }",
        ("/old/a%20b?x=1", "up GET /n/a%20b?x=1")),
    Row("28", "rewrite ^/s/(.*) /api/$1; location /api/ { proxy_pass http://{up}/q/; }", ("/s/x", "up GET /q/x")),
    Row("29", "location /w/ { rewrite ^/w(.*) $1 break; set $up {up}; proxy_pass http://$up; }"
              " location /s/ { set $up {up}; rewrite ^/s/(.*)$ /s/$1 break; proxy_pass http://$up; }",
        ("/w/x", "500"), ("/s/a%20b?c=1", "up GET /s/a%20b?c=1")),
    Row("30", "location /v/ { set $up {up}; rewrite ^ /other break; proxy_pass http://$up/; }", ("/v/a?b=1", "up GET /")),
    Row("31", "location / { try_files /none @be; } location @be { proxy_pass http://{up}; }",
        ("/a//b", "up GET /a//b"), ("/foo%20bar?x=1", "up GET /foo%20bar?x=1")),
    Row("32", "location /t/ { try_files $uri /fallback/x; } location /fallback/ { proxy_pass http://{up}/fb/; }",
        ("/t/foo?q=1", "up GET /fb/x")),
    Row("33", "location /e/ { error_page 404 = @be; return 404; } location @be { proxy_pass http://{up}; }",
        ("/e/x%20y?z=1", "up GET /e/x%20y?z=1"), ("POST /e/x", "up POST /e/x")),
    Row("34", "location /e/ { error_page 404 = /fb/y; return 404; } location /fb/ { proxy_pass http://{up}/w/; }",
        ("/e/x?z=1", "up GET /w/y"), ("POST /e/x", "up GET /w/y")),
    Row("35", "location /i/ { if ($arg_a) { proxy_pass http://{up}; } proxy_pass http://{other}; }",
        ("/i/x?a=1", "up GET /i/x?a=1"), ("/i/x", "other GET /i/x")),
    Row("36", "location /i/ { proxy_pass http://{up}/base/; if ($arg_a) { set $z 1; } }", ("/i/x?a=1", "up GET /base/x?a=1")),
    Row("37", "location /i/ { proxy_pass http://{up}/base/; if ($arg_a) { rewrite ^/i/(.*) /j/$1 break; } }",
        ("/i/x?a=1", "up GET /j/x?a=1")),
    Row("38", "location /i/ { if ($arg_a) { proxy_pass http://{up}; } return 204; }", ("/i/x?a=1", "204")),
    Row("39", "location /l/ { proxy_pass http://{up}/base/; limit_except GET { proxy_pass http://{other}; } }",
        ("POST /l/x", "other POST /l/x"), ("/l/x", "up GET /base/x")),
    Row("40", "location /unix/ { proxy_pass http://unix:{sock}:/u/; } location /raw/ { proxy_pass http://unix:{sock}; }",
        ("/unix/x", "sock GET /u/x"), ("/raw/x", "sock GET /raw/x")),
    Row("41", "location /q/ { proxy_pass http://{up}?fixed=1; } location /p/ { proxy_pass http://{up}/p?fixed=1; }",
        ("/q/x?y=2", "up GET ?fixed=1x?y=2"), ("/p/x?y=2", "up GET /p?fixed=1x?y=2")),
    Row("42", 'location "/sp ace/" { proxy_pass http://{up}/n/; } location /sp%20ade/ { proxy_pass http://{up}/n/; }',
        ("/sp%20ace/x", "up GET /n/x"), ("/sp%20ade/x", "404")),
    Row("43", "location / { proxy_pass http://{up}/; }",
        ("//a//b", "up GET /a/b"), ("/%61", "up GET /a"), ("/a/../b", "up GET /b")),
    Row("44", "location / { proxy_pass http://{up}; }",
        ("//a//b", "up GET //a//b"), ("/%61", "up GET /%61"), ("/a/../b", "up GET /a/../b")),
    Row("45", "location /al/ { alias {www}/; proxy_pass http://{up}/q/; }", ("/al/file.txt", "up GET /q/file.txt")),
    Row("46", "location /n/ { proxy_pass http://{up}/x/; location /n/sub/ { } }", ("/n/sub/z", "404"), ("/n/z", "up GET /x/z")),
    Row("47", "location /p/ { auth_request /auth; proxy_pass http://{other}; } location = /auth { proxy_pass http://{up}; }",
        ("/p/x?y=1", "other GET /p/x?y=1 + up GET /auth")),
    Row("48", "location /m/ { mirror /mi; proxy_pass http://{other}; } location = /mi { internal; proxy_pass http://{up}$request_uri; }",
        ("/m/x?y=1", "other GET /m/x?y=1 + up GET /m/x?y=1")),
    Row("49", "location /x { proxy_pass http://{other}; } location /intl/ { internal; proxy_pass http://{up}/fin/; }",
        ("/x >X-Accel-Redirect:/intl/a%20x?k=v", "other GET /x + up GET /fin/a%20x?k=v")),
    Row("50", "root {www}; location = /dir/index.html { proxy_pass http://{up}/ix; }", ("/dir/", "up GET /ix")),
    Row("51", "root {www}; location /tf/ { try_files /exists.txt =404; proxy_pass http://{up}/n/; }", ("/tf/abc", "up GET /n/sts.txt")),
    Row("52", 'location /f/ { proxy_pass http://{up}/#frag; } location /d/ { proxy_pass http://{up}/v1/../v2/; } location /s/ { proxy_pass "http://{up}/a b/"; }',
        ("/f/x", "up GET /#fragx"), ("/d/x", "up GET /v1/../v2/x"), ("/s/x", "up GET /a b/x")),
    Row("53", "merge_slashes off; location /api/ { proxy_pass http://{up}/v1/; }", ("/api//x", "up GET /v1//x")),
    Row("53 elsewhere", "server { listen {here}; server_name a.test; location /api/ { proxy_pass http://{up}/v1/; } }"
                        " server { listen {here}; server_name b.test; merge_slashes off; location /api/ { proxy_pass http://{up}/v1/; } }",
        ("/api//x Host:b.test", "up GET /v1/x")),
    Row("54", "location /Case/ { proxy_pass http://{up}/c/; }", ("/case/x", "404"), ("/Case/x", "up GET /c/x")),
]  # fmt: skip

_NAMES = (
    "first.test", "exact.example.com", "*.example.com", "*.sub.example.com", "exact.*", "www.exact.*", r"~^re\d+\.org$", r"~^re\d.*",
    r"~EXAMPLE\.ORG$", ".dot.test", "", "dup.test", "dup.test", "127.0.0.1",
)  # fmt: skip
_S = " ".join(
    f'server {{ listen {{here}}; server_name "{name}"; add_header X-Mark "{number}" always; return 200; }}'
    for number, name in enumerate(_NAMES)
)


def mark_of(pattern: str) -> str:
    """A pattern fit for the value of a header."""
    return pattern.replace("$", "").replace("\\", "")


def _by_name(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"/ Host:{host}", f"{_NAMES.index(name)} | 200") for host, name in pairs)


def _here(*patterns: str) -> str:
    """Locations that answer 200 with their pattern as the mark."""
    return " ".join(_marked(pattern, "return 200;") for pattern in patterns)


def _marked(pattern: str, inside: str) -> str:
    return f'location {pattern} {{ add_header X-Mark "{mark_of(pattern)}" always; {inside} }}'


_REGEXES = _here(r"~ \.(png|jpg)$", r"~* \.PNG$", "~ ^/a/r")
_L = "".join((
    _here("= /", "/", "/a", "= /a/b", "/a/b/", "^~ /static/", "/static/img/"),
    _marked("/nest/", "return 200; " + _marked("/nest/in/", "return 200;") + _here(r"~ ^/nest/.*\.png$") + _here("^~ /nest/hat/")),
    _marked("^~ /hatnest/", "return 200; " + _here(r"~ ^/hatnest/.*\.png$")),
    _REGEXES,
    _marked("~ ^/rxnest/", "return 200; " + _here(r"~ \.gif$")),
    "location /proxied/ { proxy_pass http://{up}; } location /proxied2/ { proxy_pass http://{up}; }" + _here("= /proxied2"),
    "location /proxied3/ { proxy_pass http://{up}; }" + _here("~ ^/proxied3"),
    "location /fc/ { fastcgi_pass {up}; } location /vpx/ { set $u {up}; proxy_pass http://$u; } location ^~ /pxhat/ { proxy_pass http://{up}; }",
    "location /outer/ { location /outer/px/ { proxy_pass http://{up}; } } location = /exact/ { proxy_pass http://{up}; }",
    _here("/plain/") + "location ~ ^/regexpx/$ { proxy_pass http://{up}; } location /int/ { internal; }",
))  # fmt: skip
_E = "location /rw2/ { return 200 body; } location @fb { return 200 fb; }"

# upstream-semantics.md E.1
ROUTING = [
    Row("E1", _S, *_by_name(("EXACT.Example.COM:18090", "exact.example.com"), ("exact.example.com.", "exact.example.com"))),
    Row("E2", _S, *_by_name(("foo.example.com", "*.example.com"), ("a.sub.example.com", "*.sub.example.com"))),
    Row("E3", _S, *_by_name(("example.com", "first.test"))),
    Row("E4", _S, *_by_name(("exact.sub.example.com", "*.sub.example.com"))),
    Row("E5", _S, *_by_name(("www.exact.org", "www.exact.*"), ("exact.org", "exact.*"))),
    Row("E6", _S, *_by_name(("re1.org", _NAMES[6]), ("re1.net", _NAMES[7]), ("x.example.org", _NAMES[8]))),
    Row("E7", _S, *_by_name(("dot.test", ".dot.test"), ("a.b.dot.test", ".dot.test"))),
    Row("E8", _S, *_by_name(("unknown.host", "first.test")), ("HTTP/1.0 / Host", "10 | 200"), ("/ Host", "400"), ("/ Host:", "400")),
    Row("E9", "server { listen *:{port}; server_name w.test; return 200 w; } server { listen {here}; server_name i.test; return 302 /i; }",
        ("/ Host:w.test", "302 HERE/i")),
    Row("E10", _S, ("http://dot.test/ Host:first.test", "9 | 200")),
    Row("E11", "server { listen {here}; server_name a.test; return 201; } server { listen {here} default_server; server_name b.test; return 202; }",
        ("/ Host:c.test", "202"), ("/ Host:a.test", "201")),
    Row("E12", _L, ("/", "= / | 200"), ("/index.html", "/ | 200")),
    Row("E13", _L, ("/abc", "/a | 200"), ("/a/b", "= /a/b | 200"), ("/a/b/", "/a/b/ | 200"), ("//a//b", "= /a/b | 200")),
    Row("E14", _L, ("/a/b/c.png", r"~ \.(png|jpg)$ | 200")),
    Row("E15", _L, ("/static/x.png", "^~ /static/ | 200")),
    Row("E16", _L, ("/static/img/x.png", r"~ \.(png|jpg)$ | 200")),
    Row("E17", _L, ("/x.png", r"~ \.(png|jpg)$ | 200"), ("/x.PNG", r"~* \.PNG$ | 200")),
    Row("E18", _L, ("/nest/x.png", r"~ ^/nest/.*\.png$ | 200"), ("/nest/in/x.png", r"~ ^/nest/.*\.png$ | 200")),
    Row("E19", _L, ("/nest/in/x.jpg", r"~ \.(png|jpg)$ | 200")),
    Row("E20", _L, ("/nest/hat/x.png", r"~ \.(png|jpg)$ | 200")),
    Row("E21", _L, ("/hatnest/x.png", r"~ ^/hatnest/.*\.png$ | 200"), ("/hatnest/x.jpg", "^~ /hatnest/ | 200")),
    Row("E22", _L, ("/rxnest/x.gif", r"~ \.gif$ | 200"), ("/rxnest/x.png", r"~ \.(png|jpg)$ | 200")),
    Row("E23", _L, ("/proxied?a=1", "301 HERE/proxied/?a=1")),
    Row("E24", _L, ("/proxied2", "= /proxied2 | 200")),
    Row("E25", _L, *((f"/{name}", f"301 HERE/{name}/") for name in ("fc", "vpx", "pxhat", "outer/px", "exact"))),
    Row("E26", _L, ("/plain", "/ | 200"), ("/regexpx", "/ | 200")),
    Row("E27", _L, ("/proxied3", "301 HERE/proxied3/")),
    Row("E28", _L, ("/int/x", "404")),
    Row("E29", _L, ("/a?x=.png", "/a | 200")),
    Row("E30", _L, ("/%61", "/a | 200"), ("/./a", "/a | 200"), ("/a/b/..", "/a | 200"), ("/a%2fb/", "/a/b/ | 200")),
    Row("E31", "root {www}; location / { try_files $uri $uri/ @fb; } " + _here("@fb", "= /dir/index.html"),
        ("/nope", "@fb | 200"), ("/dir/", "= /dir/index.html | 200"), ("/dir", "301 HERE/dir/")),
    Row("E32", "location /rw/ { rewrite ^/rw/(.*) /rw2/$1 last; } " + _here("/rw2/"), ("/rw/x?y=1", "/rw2/ | 200")),
    Row("E33", "location /r { rewrite ^/r(.*) /t$1 redirect; } location /p { rewrite ^/p(.*) /t$1 permanent; } location /h { rewrite ^ https://e.test/x; }",
        ("/r?a=1", "302 HERE/t?a=1"), ("/p?a=1", "301 HERE/t?a=1"), ("/h?a=1", "302 https://e.test/x?a=1")),
    Row("E34", "location /a { error_page 404 /rw2/err; return 404; } location /b { error_page 404 @fb; return 404; }"
               " location /c { error_page 404 http://e.test/; return 404; }" + _here("/rw2/", "@fb"),
        ("/a", "/rw2/ | 404"), ("/b", "@fb | 404"), ("/c", "302 http://e.test/")),
    Row("E35", "location / { if ($arg_x = 1) { return 201; } return 202; }", ("/?x=1", "201"), ("/", "202")),
    Row("E36", "root {www}; location / { if ($arg_x = 1) { set $y 1; } try_files $uri @fb; } " + _here("@fb"), ("/no?x=1", "404"), ("/no", "@fb | 200")),
    Row("E37", "root {www}; location /a { try_files $uri =418; } location /b { try_files $uri @missing; }", ("/a", "418"), ("/b", "500")),
    Row("E38", "return 301 https://$host$request_uri; location / { proxy_pass http://{up}; }", ("/a%20b?c", "301 https://here.test/a%20b?c")),
    Row("E39", "rewrite ^/srvrw$ /rw2/x; " + _here("/rw2/", "/"), ("/srvrw", "/rw2/ | 200")),
    Row("E40", "root {www}; location /other { return 200; }", ("/no", "404"), ("/exists.txt", "200")),
]  # fmt: skip

_HEADERS = "proxy_set_header X-S s;"

# upstream-semantics.md F. Where it says that nested locations do not inherit `internal`, nginx decided otherwise.
INHERITANCE = [
    Row("a location with a header of its own loses the server's",
        _HEADERS + "location / { proxy_set_header X-L l; proxy_pass http://{up}; }", ("/", "up GET / with x-s= x-l=l")),
    Row("a location without one keeps them", _HEADERS + "location / { proxy_pass http://{up}; }", ("/", "up GET / with x-s=s")),
    Row("a nested location has those of the location around it",
        _HEADERS + "location /a { proxy_set_header X-L l; location /a/b { proxy_pass http://{up}; } }", ("/a/b", "up GET /a/b with x-s= x-l=l")),
    Row("if keeps headers and target",
        "location / { proxy_set_header X-L l; proxy_pass http://{up}; if ($arg_a) { set $x 1; } }", ("/?a=1", "up GET /?a=1 with x-l=l")),
    Row("limit_except keeps headers and target",
        "location / { proxy_set_header X-L l; proxy_pass http://{up}; limit_except GET { allow all; } }", ("POST /", "up POST / with x-l=l")),
    Row("add_header in if replaces the outer ones",
        "add_header X-Mark server always; location / { add_header X-Mark outer always; if ($arg_a) { add_header X-Mark inner always; } proxy_pass http://{up}; }",
        ("/?a=1", "inner | up GET /?a=1"), ("/", "outer | up GET /")),
    Row("rewrite rules of a location around do not run in a nested one",
        "location /a { rewrite ^ /gone last; location /a/b { return 202; } } location /gone { return 410; }", ("/a/b", "202"), ("/a", "410")),
    Row("return, set and if are not inherited",
        "location /a { set $v 1; if ($arg_x) { return 403; } return 201; location /a/b { return 200 \"\"; } location /a/c { return 302 /v$v; } }",
        ("/a", "201"), ("/a?x=1", "403"), ("/a/b?x=1", "200"), ("/a/c", "302 HERE/v")),
    Row("internal is inherited by nested locations", "location /a { internal; location /a/b { return 202; } }", ("/a/b", "404")),
    Row("try_files is not inherited", "root {www}; location /a { try_files $uri =418; location /a/b { } }", ("/a", "418"), ("/a/b", "404")),
    Row("error_page is inherited as a set",
        "error_page 404 =200 @e; error_page 403 @e; location /a { error_page 403 @e; return 404; } location /b { return 404; } location @e { return 222; }",
        ("/a", "404"), ("/b", "200")),
    Row("allow and deny are one set", "deny all; location /a { allow 127.0.0.1; proxy_pass http://{up}; } location /b { }", ("/a", "up GET /a"), ("/b", "403")),
    Row("auth_request is inherited and can be taken off",
        "auth_request /no; location /a { proxy_pass http://{up}; } location /b { auth_request off; proxy_pass http://{up}; } location = /no { auth_request off; return 401; }",
        ("/a", "401"), ("/b", "up GET /b")),
    Row("mirror is one set", "mirror /m1; location /a { mirror /m2; proxy_pass http://{other}; } location /m { internal; mirror off; proxy_pass http://{up}; }",
        ("/a?x=1", "other GET /a?x=1 + up GET /m2?x=1")),
    Row("proxy_method and proxy_pass_request_headers are scalars",
        "proxy_method PUT; proxy_pass_request_headers off; location /a { proxy_pass http://{up}; } location /b { proxy_method GET; proxy_pass_request_headers on; proxy_pass http://{up}; }",
        ("/a X-K:v", "up PUT /a with x-k="), ("/b X-K:v", "up GET /b with x-k=v")),
    Row("root and alias share one slot",
        "root {www}; location /a/ { alias {www}/dir/; location /a/b { } } location /dir/ { }",
        ("/a/index.html", "200"), ("/dir/index.html", "200"), ("/exists.txt", "200")),
    Row("index is one set", "root {www}; index nothing.html; location /dir/ { index index.html; } location /dir/sub { }", ("/dir/", "200"), ("/", "403")),
    Row("a redirect of the upstream is mapped by proxy_redirect",
        "location /a/ { proxy_pass http://{other}/x/; } location /b/ { proxy_redirect off; proxy_pass http://{other}/x/; }"
        " location /c/ { proxy_redirect ~^http://[^/]+/(.*)$ https://c.test/$1; proxy_pass http://{other}; }",
        ("/a/q >Location:http://{other}/x/new", "other GET /x/q + 200 HERE/a/new"),
        ("/b/q >Location:http://{other}/x/new", "other GET /x/q + 200 http://{other}/x/new"),
        ("/c/q >Location:http://{other}/x/new", "other GET /c/q + 200 https://c.test/x/new")),
    Row("the default of proxy_redirect is inherited from the proxy_pass around",
        "location /a/ { proxy_pass http://{up}/x/; location /a/b/ { proxy_pass http://{other}/y/; }"
        " limit_except GET { proxy_pass http://{other}; } }"
        " location /c/ { set $b {up}; proxy_pass http://$b; location /c/d/ { proxy_pass http://{other}/y/; } }"
        " location /e/ { proxy_pass http://{other}/y/; proxy_redirect default; location /e/f/ { proxy_pass http://{other}/z/; } }",
        ("/a/b/q >Location:http://{other}/y/new", "other GET /y/q + 200 http://{other}/y/new"),
        ("/a/b/q >Location:http://{up}/x/new", "other GET /y/q + 200 HERE/a/new"),
        ("POST /a/q >Location:http://{other}/new", "other POST /a/q + 200 http://{other}/new"),
        ("/c/d/q >Location:http://{other}/y/new", "other GET /y/q + 200 HERE/c/d/new"),
        ("/e/f/q >Location:http://{other}/y/new", "other GET /z/q + 200 HERE/e/new")),
]  # fmt: skip

# What generated requests have taught us of the access phase.
ACCESS = [
    Row("with satisfy any, address rules that do not match let nobody in",
        "satisfy any; auth_basic x; auth_basic_user_file /none; location /a { deny 10.0.0.0/8; proxy_pass http://{up}; }"
        " location /b { allow 127.0.0.0/8; proxy_pass http://{up}; }",
        ("/a", "401"), ("/b", "up GET /b")),
    Row("a refusal kept by satisfy any comes back behind the error page of another status",
        "error_page 500 @e; location /a { satisfy any; deny all; auth_request /odd; } location = /odd { auth_request off; return 418; }"
        " location @e { try_files /none =418; } location /b { auth_request /odd; }",
        ("/a", "403"), ("/b", "418")),
]  # fmt: skip

_TRUSTS = "set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; "
_TELLS = (
    "location / { if ($proxy_add_x_forwarded_for ~ '^(.*), (.*)$') { set $f $1+$2; }"
    " proxy_set_header X-A $remote_addr/$realip_remote_addr/$f; proxy_pass http://{up}; }"
)


def _of(told: str, address: str) -> tuple[str, str]:
    """A request with that X-Forwarded-For, and what the backend learns of the client then."""
    return f"/ X-Forwarded-For:{told}", f"up GET / with x-a={address}/127.0.0.1/{told}+{address}"


# ngx_http_realip_module
REAL_ADDRESS = [
    Row("the client is who X-Real-IP says",
        _TRUSTS + "location / { deny 192.0.2.0/24; proxy_pass http://{up}; } location /b { allow 192.0.2.1; deny all; proxy_pass http://{up}; }",
        ("/", "up GET /"), ("/ X-Real-IP:192.0.2.1", "403"), ("/b", "403"), ("/b X-Real-IP:192.0.2.1", "up GET /b"), ("/ X-Forwarded-For:192.0.2.1", "up GET /"),
        ("/ X-Real-IP:192.0.2.1:80", "403"), ("/ X-Real-IP:192.0.2.1:0", "up GET /"), ("/ X-Real-IP:[2001:db8::1]:80", "up GET /"), ("/b X-Real-IP:::ffff:192.0.2.1", "up GET /b"),
        ("/b X-Real-IP:10.0.0.1,192.0.2.1", "up GET /b"), ("/b X-Real-IP:192.0.2.1,10.0.0.1", "403"), ("/ X-Real-IP:", "up GET /")),
    Row("only those in set_real_ip_from are believed", "set_real_ip_from 127.0.0.2; set_real_ip_from unix:; location / { deny 192.0.2.0/24; proxy_pass http://{up}; }",
        ("/ X-Real-IP:192.0.2.1", "up GET /")),
    Row("the last address of X-Forwarded-For", _TRUSTS + "real_ip_header X-Forwarded-For; " + _TELLS,
        ("/", "up GET / with x-a=127.0.0.1/127.0.0.1/"), ("/ X-Forwarded-For:", "up GET / with x-a=127.0.0.1/127.0.0.1/+127.0.0.1"), _of("192.0.2.1,10.0.0.1", "10.0.0.1"),
        _of("192.0.2.1,x", "127.0.0.1"), _of("255.255.255.255", "127.0.0.1"), _of("192..2.1", "192.0.2.1")),
    Row("real_ip_recursive goes on to the left while trusted ones tell", _TRUSTS + "real_ip_header X-Forwarded-For; real_ip_recursive on; " + _TELLS,
        _of("192.0.2.1,10.0.0.1", "192.0.2.1"), _of("192.0.2.9,192.0.2.1,10.0.0.1,10.0.0.2", "192.0.2.1"), _of("10.0.0.3,10.0.0.2", "10.0.0.3"), _of("x,10.0.0.2", "10.0.0.2"),
        _of(",10.0.0.2", "127.0.0.1"), _of(",,10.0.0.2", "10.0.0.2"), _of("10.0.0.9,,10.0.0.2,", "10.0.0.9"), _of("::1,10.0.0.2", "::1"), _of("::FFFF:192.0.2.7,10.0.0.2", "::ffff:192.0.2.7")),
    Row("an IPv6 address in brackets needs no port since 1.27.3", _TRUSTS + "location / { deny 2001:db8::/32; proxy_pass http://{up}; }",
        ("/ X-Real-IP:[2001:db8::1]:1", "403"), ("/ X-Real-IP:[2001:db8::1]", "403" if VERSION >= (1, 27, 3) else "up GET /")),
    Row("real_ip_header names any header", _TRUSTS + "real_ip_header CF-Connecting-IP; location / { deny 192.0.2.0/24; proxy_pass http://{up}; }",
        ("/ CF-Connecting-IP:192.0.2.1", "403"), ("/ X-Real-IP:192.0.2.1", "up GET /")),
    Row("a location has its own real_ip_header, unless the server's was sent", _TRUSTS + "location / { real_ip_header X-Client; deny 192.0.2.0/24; proxy_pass http://{up}; }",
        ("/ X-Client:192.0.2.1", "403"), ("/ X-Client:192.0.2.1 X-Real-IP:198.51.100.1", "up GET /")),
    Row("a variable that was asked for before the location knows the client is kept",
        "set $early $remote_addr; location / { set_real_ip_from 127.0.0.1; allow 192.0.2.1; deny all; proxy_set_header X-A $remote_addr; proxy_pass http://{up}; }",
        ("/ X-Real-IP:192.0.2.1", "up GET / with x-a=127.0.0.1"), ("/", "403")),
    Row("a subrequest finds out for the request, too",
        "location / { auth_request /auth; proxy_set_header X-A $remote_addr; proxy_pass http://{other}; } location = /auth { set_real_ip_from 127.0.0.1; proxy_pass http://{up}; }",
        ("/ X-Real-IP:192.0.2.1", "other GET / + up GET /auth with x-a=192.0.2.1")),
]  # fmt: skip

_SHOWN = "set $v $%s; if ($v ~ '^(.*)([,;]) (.*)$') { set $v $1$2$3; } location / { proxy_set_header X-V $v; proxy_pass http://{up}; }"


def _lines(old: str, new: str, *, since: tuple[int, int, int] = (1, 23, 0)) -> str:
    return f"up GET / with x-v={new if since <= VERSION else old}"


# Headers of which there are several lines.
REPEATED = [
    Row("$http_ has the first line, since 1.23.0 all of them", _SHOWN % "http_x_kind", ("/ X-Kind:a X-Kind:b", _lines("a", "a,b")), ("/ X-Kind: X-Kind:b", _lines("", ",b"))),
    Row("so has the type of the content", _SHOWN % "content_type", ("/ Content-Type:a Content-Type:b", _lines("a", "a,b"))),
    *(Row(f"$http_{name} always had all of them", _SHOWN % f"http_{name}", (f"/ {header}:a {header}:b", _lines(all, all)))
      for name, header, all in (("cookie", "Cookie", "a;b"), ("x_forwarded_for", "X-Forwarded-For", "a,b"))),
    Row("headers that differ in - and _ only are of one variable", "server { listen {here}; server_name here.test; underscores_in_headers on; " + _SHOWN % "http_x_kind" + " }",
        ("/ X_Kind:a X-Kind:b", _lines("a", "a,b")), ("/ X_Kind:a", _lines("a", "a"))),
    Row("all of them are passed on", "location / { proxy_pass http://{up}; }", ("/ X-Kind:a X-Kind:b", "up GET /")),
    Row("a comma ends the name of a cookie, but not its value, and neither since 1.29.6", "location / { proxy_set_header X-V $cookie_a|$cookie_b; proxy_pass http://{up}; }",
        ("/ Cookie:a=1,b=2", _lines("1,b=2|2", "1,b=2|", since=(1, 29, 6))), ("/ Cookie:c,b=2;A=3", _lines("3|2", "3|", since=(1, 29, 6))), ("/ Cookie:a;a=1;b=2", _lines("|2", "|2")),
        ("/ Cookie:ab=3;a=1;b=2", _lines("1|2", "1|2")), ("/ Cookie:c=1 Cookie:b==2;b=3", _lines("|=2", "|=2")), ("/ Cookie:a=;b", _lines("|", "|"))),
    Row("headers that may be there once", "location / { return 204; }",
        *((f"/ {name}:0 {name}:0", "400") for name in ("Content-Length", "Content-Range", "Expect", "Authorization", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Transfer-Encoding", "Host")),
        *((f"/ {name}:a {name}:b", "204") for name in ("Range", "TE", "Referer", "User-Agent", "Via", "Upgrade", "Accept", "X-Real-IP", "Keep-Alive", "Date"))),
    Row("Proxy-Authorization, too, in 1.30.6", "location / { return 204; }", ("/ Proxy-Authorization:a Proxy-Authorization:b", "400" if VERSION >= (1, 30, 6) else "204")),
    Row("what is behind a second line that is refused is not read", "server { listen {here}; server_name other.test; error_page 400 =200 @other; location @other { return 201; } }"
        " server { listen {here}; server_name here.test; error_page 400 = @here; location @here { if ($http_x_k) { return 203; } if ($http_if_range) { return 202; } } }",
        ("/ If-Range:a If-Range:a X-K:v", "202"), ("/ X-K:v If-Range:a If-Range:a", "203"), ("/ Host:here.test Host:other.test", "403")),
    Row("the address is in the first line of X-Real-IP", _TRUSTS + "location / { deny 192.0.2.1; proxy_pass http://{up}; }",
        ("/ X-Real-IP:192.0.2.1 X-Real-IP:192.0.2.2", "403"), ("/ X-Real-IP:192.0.2.2 X-Real-IP:192.0.2.1", "up GET /")),
    Row("the address is in the last line of X-Forwarded-For",
        _TRUSTS + "real_ip_header X-Forwarded-For; location / { deny 192.0.2.1; proxy_pass http://{up}; }",
        ("/ X-Forwarded-For:192.0.2.2 X-Forwarded-For:192.0.2.1", "403"), ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:10.0.0.1", "up GET /")),
    Row("real_ip_recursive goes on to the line before", _TRUSTS + "real_ip_header X-Forwarded-For; real_ip_recursive on; location / { deny 192.0.2.1; proxy_pass http://{up}; }",
        ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:10.0.0.1", "403"), ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:10.0.0.2,10.0.0.1", "403"),
        ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:,10.0.0.1", "up GET /"), ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:", "up GET /"), ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:x,10.0.0.1", "up GET /")),
    Row("written otherwise it is any header", _TRUSTS + "real_ip_header x-forwarded-for; location / { deny 192.0.2.1; proxy_pass http://{up}; }",
        ("/ X-Forwarded-For:192.0.2.1 X-Forwarded-For:10.0.0.1", "403")),
]  # fmt: skip

# What a second grammar of requests has taught us.
ENDINGS = [
    Row("408 and 499 close the connection as 444 does",
        "error_page 408 /e; location /a { return 408; } location /b { return 499; } location /c { try_files /none =499; }"
        " location /d { return 408 text; } location /e { return 200; } location /f { auth_request /a; }",
        ("/a", "closed"), ("/b", "closed"), ("/c", "closed"), ("/d", "408"), ("/f", "closed")),
    Row("a mirrored request runs when the main one waits or has its answer, and not behind its end",
        "root {www}; error_page 404 /e; location / { mirror /m; } location /m { mirror off; proxy_pass http://{up}; } location = /e { return 444; }"
        " location /p { mirror /m; proxy_pass http://{other}; } location /w { mirror /m; error_page 404 /f; } location /f { auth_request /a; return 404; }"
        " location /g { mirror /m; error_page 404 /h; } location /h { auth_request /a; error_page 418 /e; try_files /none =418; } location /a { proxy_pass http://{other}/a; }",
        ("/none", "closed"), ("/exists.txt", "up GET /m"), ("/p", "other GET /p + up GET /m"),
        ("/w", "up GET /m + 404"), ("/g", "other GET /a + up GET /m + 418")),
    Row("a mirrored request that is closed closes the connection, and what waits with it",
        "root {www}; location / { mirror /c; } location = /c { return 444; } location /p { mirror /c; mirror /m; proxy_pass http://{other}; } location /m { proxy_pass http://{up}; }"
        " location /q { mirror /d; proxy_pass http://{other}; } location /d { error_page 404 /c; return 404; }",
        ("/exists.txt", "200"), ("/p", "closed"), ("/q", "closed")),
    Row("post_action goes on behind every answer, unless the connection is closed",
        "location / { post_action /p; proxy_pass http://{other}; } location /p { proxy_pass http://{up}; } location /a { post_action @p; return 204; } location @p { proxy_pass http://{up}; }"
        " location /b { post_action /p; return 444; } location /c { post_action /p; return 499; } location /d { post_action @no; return 204; } location /e { post_action /a; return 404; }"
        " location /f { post_action /g; deny all; } location /g { allow 10.0.0.1; deny all; error_page 403 @p; }",
        ("/?x=1", "other GET /?x=1 + up GET /p"), ("POST /", "other POST / + up POST /p"), ("/a?x=1", "up GET /a?x=1 + 204"), ("/b", "closed"), ("/c", "up GET /p + closed"), ("/d", "204"),
        ("/e", "up GET /a + 404"), ("/f", "up GET /g + 403")),
    Row("an inherited post_action goes on behind itself", "post_action /p; location / { return 204; } location /p { proxy_pass http://{up}; } location /q { rewrite ^ /q last; }",
        ("/", 10 * "up GET /p + " + "204"), ("/q", 15 * "up GET /p + " + "500")),
    Row("CONNECT has an authority in 1.30.6, and is refused by the server that has its name",
        "server { listen {here}; server_name a.test; return 204; } server { listen {here}; server_name c.test; error_page 400 =410 @e; error_page 405 =411 @e;"
        " location @e { proxy_method GET; proxy_set_header X-V $uri-$request_uri-$host; proxy_pass http://{up}; } }",
        *((f"CONNECT {target} Host:{host}.test", now if VERSION >= (1, 30, 6) else before) for target, host, before, now in (
            ("a.test:80", "a", "400", "405"), ("a.test:80", "c", "400", "405"), ("C.test.:80", "a", "400", "up GET / + 411 with x-v=/-/-c.test"),
            ("c.test:", "a", "400", "up GET / + 411 with x-v=/-/-c.test"), ("c.test:99999", "a", "400", "400"),
            ("[::1]:443", "a", "400", "405"), ("c.test", "c", "400", "400"), ("c_d.test:80", "a", "400", "400"), ("c.test:80/x", "c", "400", "400"), (":80", "c", "400", "400"),
            ("/x", "a", "405", "400"), ("http://a.test/", "a", "405", "400")))),
    Row("a redirect that is closed by its error page has no Location", "error_page 301 /e; location / { return 301 /x; } location /e { return 444; }", ("/", "closed")),
    Row("alias cannot be used where a rewrite changed the URI, nor can try_files then",
        "location /a/ { alias {www}/; rewrite ^ /b break; } location /t/ { alias {www}/; rewrite ^ /b break; try_files /exists.txt =404; proxy_pass http://{up}; }",
        ("/a/x", "500"), ("PUT /a/x", "405"), ("/t/x", "500"), ("PUT /t/x", "500")),
    Row("under an alias the location stands before what try_files finds",
        "proxy_set_header X-U $uri; location /t/ { alias {www}/; try_files exists.txt =404; proxy_pass http://{up}; location /t/n/ { try_files exists.txt =404; proxy_pass http://{up}; } }"
        " location /v/ { alias {www}/; try_files $uri =404; proxy_pass http://{up}; } location ~ ^/r/(.*)$ { alias {www}/; try_files $1 =404; proxy_pass http://{up}; }"
        " location /d/ { alias {www}/; try_files dir/ =404; } location /l/ { alias {www}/; try_files /l/exists.txt =404; proxy_pass http://{up}; }"
        " location ~ ^/s/(.*)$ { alias {www}; try_files /dir/ =404; proxy_pass http://{up}; } location ~ ^/f/(.*)$ { alias {www}/; try_files $1 =404; } location ~ ^/g/(.*)$ { alias {www}/; try_files x$1 =404; }"
        " location /w/ { alias {www}/; try_files /none /w/x$arg_a; } location /y/ { alias {www}/; try_files /none /w/x; }",
        ("/t/x", "up GET /t/x with x-u=/t/exists.txt"), ("/t/n/x", "up GET /t/n/x with x-u=/t/exists.txt"), ("/v/exists.txt", "up GET /v/exists.txt with x-u=/v/exists.txt"),
        ("/r/exists.txt", "up GET /r/exists.txt with x-u=exists.txt"), ("/d/x", "301 HERE/d/dir/"), ("/l/x", "404"), ("/s/x", "up GET /s/x with x-u=/s/x"), ("/f/exists.txt", "200"), ("/g/exists.txt", "404"), ("/w/", "404"), ("/y/", "404")),
    Row("a request that is refused before the phases begin has no location to replace",
        "error_page 405 @r; error_page 400 @r; location @r { rewrite ^ /p/x last; } location /p/ { proxy_pass http://{up}/n/; }",
        ("TRACE /y", "up TRACE /p/x + 405"), ("/y If-Range:a If-Range:a", "up GET /p/x + 400"), ("/p/x", "up GET /n/x")),
    Row("an escape in the fragment is none", "location / { proxy_pass http://{up}/n/; }", ("/ä#%66", "up GET /n/ä"), ("/%c3%a4#f", "up GET /n/%C3%A4")),
    Row("a file in place of a folder", "root {www}; location /al/ { alias {www}/exists.txt/; }", ("/exists.txt/", "404"), ("/al/", "404")),
    Row("the slash at the end of root is taken off",
        "root {www}/; location / { proxy_pass http://{up}; proxy_set_header X-D $document_root.; } location /a/ { alias {www}/; proxy_set_header X-D $document_root.; proxy_pass http://{up}; }",
        ("/", "up GET / with x-d={www}."), ("/a/", "up GET /a/ with x-d={www}/.")),
    Row("the host of an absolute target has letters, digits, dots and hyphens only", "location / { return 200; }",
        ("http://a_b.test/", "400"), ("http://a-b.test:80/", "200"), ("h2+t-p.s://a.test/", "200"), ("2h://a.test/", "400"), ("http://a%2e.test/", "400"), ("http://a.test:8x/", "400"), ("/ Host:a_b.test", "200")),
    Row("a redirecting rewrite drops the sign of an escape that is none",
        "location /h { rewrite ^ /t$uri redirect; }",
        ("/h%25:80", "302 HERE/t/h:80"), ("/h%254z!", "302 HERE/t/h!"), ("/h%25", "302 HERE/t/h"), ("/h%254", "302 HERE/t/h"), ("/h%25%3fx", "302 HERE/t/h?x")),
    Row("of a request line that is refused, nginx has no path for a named location",
        "error_page 400 =200 @be; location @be { proxy_pass http://{up}; }", ("/%00", "500"), ("/../x", "500"), ("/ Host:a..b", "up GET /")),
    Row("a refused request line leaves no $request_uri",
        "error_page 400 = /e; location /e { return 302 /$request_uri.; }", ("/%00", "302 http://127.0.0.1:{port}/."), ("/ Host:a..b", "302 http://127.0.0.1:{port}//.")),
    Row("the headers behind a request line that is refused are not read",
        "error_page 400 = /e; location /e { if ($http_x_k) { return 201; } return 202; }",
        ("/%00 X-K:v", "202"), ("/ Host:a..b X-K:v", "202")),
]  # fmt: skip
