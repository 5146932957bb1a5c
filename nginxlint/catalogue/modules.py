"""Which modules a build of nginx has: from the arguments of its `configure`."""

from __future__ import annotations

from nginxlint.catalogue.table import DIRECTIVES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Built for other systems than Linux, or for none any more.
_OTHER_PLATFORMS = frozenset(
    ["ngx_kqueue_module", "ngx_iocp_module", "ngx_eventport_module", "ngx_devpoll_module", "ngx_rtsig_module"]
)
# Modules beside ngx_stream_module that are files of their own.
_OWN_FILES = frozenset(
    ("ngx_stream_geoip_module", "ngx_stream_geoip2_module", "ngx_stream_js_module", "ngx_stream_js_core_module",
     "ngx_stream_lua_module")
)  # fmt: skip
# Libraries for other modules.
_WITHOUT_DIRECTIVES = frozenset(("ndk_http_module", "ngx_devel_kit", "ngx_devel_kit_module"))
# Modules of which the catalogue lacks directives, by what those begin with (up to its `;`: that one only).
_BEYOND = {
    "passenger_": "Phusion Passenger",
    "rails_": "Phusion Passenger",
    "pagespeed": "ngx_pagespeed",
    "shib_": "the Shibboleth module",
    "51D_": "the 51Degrees module",
    "ModSecurity": "ModSecurity 2",
    "accesskey": "the accesskey module",
    "acme;": "Angie",
    "acme_client": "Angie",
    "acme_hook": "Angie",
    "ajp_": "nginx_ajp_module",
    "app_protect_": "NGINX App Protect",
    "auth_digest": "the auth digest module",
    "aws_": "ngx_aws_auth",
    "concat": "Tengine's ngx_http_concat_module",
    "consistent_hash;": "ngx_http_upstream_consistent_hash",
    "datadog_": "Datadog's module",
    "drizzle_": "the drizzle module",
    "dubbo_": "Tengine's ngx_http_dubbo_module",
    "dyups_": "ngx_http_dyups_module",
    "eval;": "the eval module",
    "eval_": "the eval module",
    "graphite_": "the graphite module",
    "iconv_": "the iconv module",
    "ip2location_": "the IP2Location module",
    "ip2proxy_": "the IP2Proxy module",
    "jaeger_": "the OpenTracing module",
    "jdomain;": "ngx_upstream_jdomain",
    "length_hiding": "the length hiding module",
    "limit_traffic_rate": "ngx_http_limit_traffic_rate_filter_module",
    "limit_upstream_": "the upstream limit module",
    "mogilefs_": "the MogileFS module",
    "mruby_": "ngx_mruby",
    "opentelemetry;": "the OpenTelemetry C++ module",
    "opentelemetry_": "the OpenTelemetry C++ module",
    "pinba_": "the Pinba module",
    "postgres_": "ngx_postgres",
    "prometheus": "Angie",
    "proxy_connect;": "ngx_http_proxy_connect_module",
    "proxy_connect_address": "ngx_http_proxy_connect_module",
    "proxy_connect_allow": "ngx_http_proxy_connect_module",
    "proxy_connect_bind": "ngx_http_proxy_connect_module",
    "proxy_connect_connect_": "ngx_http_proxy_connect_module",
    "proxy_connect_data_": "ngx_http_proxy_connect_module",
    "proxy_connect_read_timeout": "ngx_http_proxy_connect_module",
    "proxy_connect_response": "ngx_http_proxy_connect_module",
    "proxy_connect_send_timeout": "ngx_http_proxy_connect_module",
    "proxy_wasm": "ngx_wasm_module",
    "redis_": "ngx_http_redis",
    "req_status": "Tengine's ngx_http_reqstat_module",
    "reuse_port;": "Tengine",
    "session_sticky": "Tengine's ngx_http_upstream_session_sticky_module",
    "slowfs_": "ngx_slowfs_cache",
    "small_light": "ngx_small_light",
    "sorted_querystring": "the sorted querystring module",
    "ssl_dyn_rec_": "Cloudflare's patch for TLS records",
    "statsd_": "the statsd module",
    "sysguard": "the sysguard module",
    "testcookie": "the testcookie module",
    "tfs_": "Tengine's ngx_http_tfs_module",
    "upsync": "the upsync module",
    "video_thumbextractor": "the video thumbextractor module",
    "vod_": "the VOD module",
    "waf;": "ngx_waf",
    "waf_": "ngx_waf",
    "wasm;": "ngx_wasm_module",
    "websockify_": "the websockify module",
    "zipkin_": "the OpenTracing module",
}
# `configure` finds the library by itself.
_UNLESS_TOLD = {"ngx_regex_module": "--without-pcre"}
# Built as soon as one of these asks for its library (USE_OPENSSL in auto/modules).
_WITH_ANY = {
    "ngx_openssl_module": frozenset(
        ("--with-http_ssl_module", "--with-mail_ssl_module", "--with-stream_ssl_module", "--with-http_v3_module")
    )
}


def module_beyond(name: str) -> str:
    """The module outside the catalogue that a directive seems to be of; empty for all others."""
    ended = f"{name};"
    return next((module for start, module in _BEYOND.items() if ended.startswith(start)), "")


def built_modules(options: tuple[str, ...]) -> frozenset[str]:
    """The modules of nginx itself that these arguments build, dynamic ones included."""
    given = {option.removesuffix("=dynamic") for option in options}
    modules: set[str] = set()
    for row in DIRECTIVES.every_row():
        module = row["module"]
        build = row.get("build", {})
        option = build.get("option", "")
        if row["kind"] in ("third-party", "plus") or module in _OTHER_PLATFORMS:
            continue
        if module.startswith("ngx_mail_") and "--with-mail" not in given:
            continue
        if module.startswith("ngx_stream_") and "--with-stream" not in given:
            continue
        by_itself = module in _UNLESS_TOLD and _UNLESS_TOLD[module] not in given
        needed = module in _WITH_ANY and not given.isdisjoint(_WITH_ANY[module])
        if "default" not in build or by_itself or needed or (option not in given) == build["default"]:
            modules.add(module)
    return frozenset(modules)


def added_modules(options: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The third-party modules of `--add-module`, by what their folder is called; and the folders nobody knows."""
    folders = [
        option.partition("=")[2].rstrip("/").rpartition("/")[2].lower()
        for option in options
        if option.startswith(("--add-module=", "--add-dynamic-module="))
    ]
    return _recognise(folders)


def modules_of_files(files: list[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The modules that `load_module` finds in these files; and the files nobody knows."""
    return _recognise([file.rpartition("/")[2].removesuffix(".so").lower() for file in files])


def _recognise(names: list[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    if not names:
        return frozenset(), ()
    every = {module: _words(module) for module in DIRECTIVES.values("module")}
    found: set[str] = set()
    strangers = []
    for name in names:
        # one file holds several modules: ngx_stream_module.so, ngx_http_js_module.so
        family = name.removesuffix("module") if name.startswith("ngx_") else name
        words = _words(name)
        mine = {
            module
            for module, its_words in every.items()
            if module == name
            or (family.endswith("_") and module.startswith(family) and module not in _OWN_FILES)
            or (words and words == its_words)
        }
        found |= mine
        if not mine and name not in _WITHOUT_DIRECTIVES:
            strangers.append(name)
    return frozenset(found), tuple(strangers)


def modules_with(names: Iterable[str]) -> frozenset[str]:
    """All modules of nginx itself, and of the third-party ones those that are named (`brotli`, `headers-more`)."""
    wanted = {_words(name.lower()) for name in names}
    modules: set[str] = set()
    for row in DIRECTIVES.every_row():
        module = row["module"]
        foreign = row["kind"] in ("third-party", "plus")
        if not foreign or _words(module) in wanted or module.lower() in wanted:
            modules.add(module)
    return frozenset(modules)


def _words(name: str) -> str:
    """What is left of a module's name without the words every module has: distributions rename folders freely."""
    name = name.rpartition("/")[2].lower()
    parts = [part for part in name.replace("_", "-").split("-") if part not in _EMPTY_WORDS and not part[:1].isdigit()]
    return "".join(parts)


_EMPTY_WORDS = {"nginx", "ngx", "module", "http", "libnginx", "mod", "filter", "master", "main"}
