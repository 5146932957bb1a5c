"""What stands between an upstream and the visitor: error_page, proxy_intercept_errors, auth_request, mirror."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario

_PASS = "proxy_pass http://127.0.0.1:{port};"
_PAGE = "location = /{name}-page { return 200 sorry; }"
_OWN_PAGE = "location = /{name}-page { return 418; }"


def _fallback(behaviour: str) -> str:
    return f"location @{{name}}-fallback {{ proxy_pass http://127.0.0.1:{{port:{behaviour}}}; }}"


def _twice(settings: str) -> str:
    fallback = f"location @{{name}}-fallback {{ {settings}error_page 504 =200 /{{name}}-page; proxy_pass http://"
    return fallback + "127.0.0.1:{port:silent}; } " + _PAGE


def _asked(behaviour: str) -> str:
    return f"location = /{{name}}-asked {{ internal; proxy_pass http://127.0.0.1:{{port:{behaviour}}}; }}"


def _page(name: str, upstream: str, status: int | None, log: str, settings: str, beside: str = "") -> Scenario:
    return Scenario(f"page-{name}", upstream, status, log, settings + _PASS, beside=beside)


def _auth(behaviour: str, status: int, log: str = "", main: str = "healthy", **more: object) -> Scenario:
    settings = str(more.pop("settings", ""))
    return Scenario(
        f"auth-{behaviour}-{main}{'-' + str(status) if settings else ''}", main, status, log,
        settings + "auth_request /{name}-asked; " + _PASS,
        beside=_asked(behaviour) + str(more.pop("beside", "")),
        cured=_PASS if behaviour != "healthy" and main == "healthy" else "", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _accel(behaviour: str, status: int, inner: str, name: str = "", *, log: str = "", settings: str = "") -> Scenario:
    upstream = f"accel-{behaviour}"
    return Scenario(
        f"accel-{name or behaviour}", upstream, status, log, settings + _PASS,
        beside=f"location /{{name}}-inner/ {{ internal; {inner} }}",
    )  # fmt: skip


_REFUSED = "connect-refused"
VISITORS: tuple[Scenario, ...] = (
    _page("keeps", "refusing", 502, _REFUSED, "error_page 500 /{name}-page; ", _PAGE),
    _page("equals", "refusing", 200, _REFUSED, "error_page 502 = /{name}-page; ", _PAGE),
    _page("equals-203", "refusing", 203, _REFUSED, "error_page 502 =203 @{name}-fallback; ", _fallback("healthy")),
    _page("own-status", "refusing", 418, _REFUSED, "error_page 502 /{name}-page; ", _OWN_PAGE),
    _page("timeout", "silent", 200, "header-timeout", "error_page 502 504 = /{name}-page; ", _PAGE),
    _page("too-big", "header-4097", 200, "too-big", "error_page 502 = /{name}-page; ", _PAGE),
    _page("bytes", "ssh", None, "not-http", "error_page 502 = /{name}-page; ", _PAGE),
    _page("elsewhere", "refusing", 302, _REFUSED, "error_page 502 http://demo.test/sorry; "),
    _page("elsewhere-301", "refusing", 301, _REFUSED, "error_page 502 =301 http://demo.test/sorry; "),
    _page("fallback", "refusing", 502, _REFUSED, "error_page 502 @{name}-fallback; ", _fallback("healthy")),
    _page("fallback-equals", "refusing", 200, _REFUSED, "error_page 502 = @{name}-fallback; ", _fallback("healthy")),
    _page("fallback-dead", "refusing", 504, _REFUSED, "error_page 502 = @{name}-fallback; ", _fallback("silent")),
    _page("fallback-404", "refusing", 404, _REFUSED, "error_page 502 = @{name}-fallback; ", _fallback("status-404")),
    _page("no-fallback", "refusing", 500, _REFUSED, "error_page 502 @{name}-nowhere; "),
    _page("not-intercepted", "status-500", 500, "", "error_page 500 = /{name}-page; ", _PAGE),
    _page("intercepted", "status-500", 200, "",
          "proxy_intercept_errors on; error_page 500 = /{name}-page; ", _PAGE),
    _page("intercepted-404", "status-404", 200, "",
          "proxy_intercept_errors on; error_page 404 = @{name}-fallback; ", _fallback("healthy")),
    _page("intercepted-other", "status-503", 503, "",
          "proxy_intercept_errors on; error_page 500 = /{name}-page; ", _PAGE),
    # a page that fails as well: error_page is followed once, unless recursive_error_pages is on
    _page("twice", "refusing", 504, _REFUSED, "error_page 502 = @{name}-fallback; ", _twice("")),
    _page("twice-recursive", "refusing", 200, _REFUSED,
          "recursive_error_pages on; error_page 502 = @{name}-fallback; ", _twice("recursive_error_pages on; ")),
    _page("closed", "refusing", None, _REFUSED, "error_page 502 @{name}-page; ", "location @{name}-page { return 444; }"),
    _page("missing", "refusing", 404, _REFUSED, "error_page 502 /{name}-no/page.html; ",
          "location /{name}-no/ { root {folder}; }"),
    _page("forbidden", "refusing", 403, _REFUSED, "error_page 502 /{name}-page; ",
          "location = /{name}-page { deny all; }"),
    _page("tried", "refusing", 404, _REFUSED, "error_page 502 @{name}-page; ",
          "location @{name}-page { root {folder}; try_files /nothing =404; }"),
    _page("to-fastcgi", "refusing", 200, _REFUSED, "error_page 502 = @{name}-page; ",
          "location @{name}-page { fastcgi_pass 127.0.0.1:{port:fastcgi}; }"),
    # what is cut off: nobody sees that it is dead
    *(
        Scenario(f"cut-off-{name}", "refusing", status, log, statements + _PASS, cured=_PASS.replace("{port}", "{port:healthy}"))
        for name, statements, status, log in (
            ("return-503", "return 503; ", 503, ""),
            ("return-200", "return 200 soon; ", 200, ""),
            ("return-elsewhere", "return https://demo.test/; ", 302, ""),
            ("break-first", "break; return 503; ", 502, _REFUSED),
            ("return-behind-if", "if ($arg_x) { return 403; } ", 502, _REFUSED),
        )
    ),
    # nginx's own 502 becomes a page; the one that the next server answered itself is passed on
    *(
        Scenario(
            f"page-after-{second}", "refusing", status, _REFUSED,
            "error_page 502 504 =200 /{name}-page; proxy_pass http://{name};", beside=_PAGE,
            around=f"upstream {{name}} {{ server 127.0.0.1:{{port}}; server 127.0.0.1:{{port:{second}}}; }}",
        )
        for second, status in (("status-502", 502), ("status-504", 504), ("closes-after-request", 200), ("silent", 200))
    ),
    Scenario("page-memcached-miss", "memcached-says-miss", 200, "", "set $memcached_key $uri; error_page 404 ="
             " @{name}-fallback; memcached_pass 127.0.0.1:{port};", beside=_fallback("healthy")),
    _page("intercepted-elsewhere", "status-503", 302, "",
          "proxy_intercept_errors on; error_page 503 http://demo.test/sorry; "),
    _auth("healthy", 200),
    # an auth_request that no upstream answers, or not the way it was asked
    *(
        Scenario(f"auth-return-{code}", "healthy", status, log, "auth_request /{name}-asked; " + _PASS, cured=_PASS,
                 beside=f"location = /{{name}}-asked {{ internal; return {code}; }}")
        for code, status, log in (
            (204, 200, ""), (401, 401, ""), (403, 403, ""), (404, 500, "auth-unexpected"), (302, 500, "auth-unexpected"),
        )
    ),
    Scenario("auth-no-file", "healthy", 500, "auth-unexpected", "auth_request /{name}-asked; " + _PASS, cured=_PASS,
             beside="location = /{name}-asked { internal; root {folder}; }"),
    Scenario("auth-page-inside", "healthy", 200, _REFUSED, "auth_request /{name}-asked; " + _PASS, cured=_PASS,
             either=("",),
             beside="location = /{name}-asked { internal; error_page 502 = /{name}-page; proxy_pass"
             " http://127.0.0.1:{port:refusing}; } " + _PAGE),
    Scenario("auth-satisfied-by-address", "healthy", 200, "", "satisfy any; allow all; auth_request /{name}-asked; "
             + _PASS, beside=_asked("status-403")),
    Scenario("auth-not-satisfied", "healthy", 403, "", "satisfy any; deny all; auth_request /{name}-asked; " + _PASS,
             beside=_asked("status-403"), cured=_PASS),
    _auth("status-204", 200),
    _auth("refusing", 500, _REFUSED),
    _auth("silent", 500, "header-timeout"),
    _auth("header-4097", 500, "too-big"),
    _auth("ssh", 500, "not-http"),
    _auth("status-401", 401),
    _auth("status-403", 403),
    _auth("status-404", 500, "auth-unexpected"),
    _auth("status-503", 500, "auth-unexpected"),
    _auth("redirects-to-file", 500, "auth-unexpected"),
    _auth("healthy", 502, _REFUSED, main="refusing"),
    _auth("status-401", 302, settings="error_page 401 =302 http://demo.test/login; "),
    _auth("refusing", 200, _REFUSED, settings="error_page 500 = /{name}-page; ", beside=" " + _PAGE),
    _accel("file", 200, "alias {folder}/;"),
    _accel("no-file", 404, "alias {folder}/;"),
    _accel("unsafe", 404, "alias {folder}/;"),
    _accel("no-file", 418, "return 418;", "teapot"),
    _accel("named", 500, "return 418;"),
    _accel("no-file", 200, "proxy_pass http://127.0.0.1:{port:healthy};", "alive"),
    _accel("no-file", 502, "proxy_pass http://127.0.0.1:{port:refusing};", "dead", log=_REFUSED),
    _accel("no-file", 200, "return 418;", "ignored", settings="proxy_ignore_headers X-Accel-Redirect; "),
    Scenario("mirror-alive", "healthy", 200, "", "mirror /{name}-asked; " + _PASS, beside=_asked("healthy")),
    Scenario("mirror-main-dead", "refusing", 502, _REFUSED, "mirror /{name}-asked; " + _PASS, beside=_asked("healthy")),
)  # fmt: skip
"""What the visitor gets is not always what the upstream gave."""
