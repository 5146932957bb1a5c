"""What surrounds a loose snippet: guessed from the directives at its top level."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.parser import outline_of

# Directives that tell where they stand, by the context a snippet of them is taken for, the surest first.
_TELLING: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (context, frozenset(names.split()))
    for context, names in (
        ("main", "http events stream mail load_module worker_processes user pid worker_rlimit_nofile rtmp"),
        ("server", "location listen server_name error_page ssl_certificate rewrite return if try_files root"),
        ("http", "upstream server map geo split_clients log_format limit_req_zone limit_conn_zone proxy_cache_path "
                 "fastcgi_cache_path uwsgi_cache_path types geoip_country geoip2 server_names_hash_bucket_size "
                 "lua_package_path lua_shared_dict js_import charset_map match real_ip_header"),
        ("location", "proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass alias internal "
                     "fastcgi_param uwsgi_param scgi_param stub_status limit_except"),
        ("events", "worker_connections multi_accept accept_mutex use"),
    )
)  # fmt: skip
_STREAM_ONLY = frozenset(["ssl_preread", "proxy_responses", "proxy_timeout", "preread_timeout", "proxy_upload_rate"])
# What all lines of a body begin with that holds no directives, apart from its parameters.
_TYPE = r"(?:application|audio|chemical|font|image|message|model|multipart|text|video|x-[a-z]+)/\S+"
_NETWORK = r"[0-9a-fA-F]*[.:][0-9a-fA-F.:]*(?:/\d+|-[0-9.]+)?"
_NETWORK_WORDS = frozenset("default delete include proxy proxy_recursive ranges".split())
_KEY = r"[~/*.\d].*|[A-Z]{2}|[\w.*-]+\.[\w*-]+|"
_KEY_WORDS = frozenset("default hostnames include volatile".split())


def guess(text: str) -> str:
    """The name of the context (a key of `nginxlint.inputs.CONTEXTS`) a snippet's text was written for."""
    outline = outline_of(text)
    names, every = outline.top.keys(), outline.every.keys()
    if names & dict(_TELLING)["main"] and not names & {"location", "listen"}:
        return "main"
    if names & _STREAM_ONLY or (every & _STREAM_ONLY and "location" not in every):
        return "stream_server" if "listen" in names else "stream"
    if "server" in names and not names & {"upstream", "map", "location", "listen"} and not outline.every["server"]:
        return "upstream"
    if "server" in names or "upstream" in names:
        return "http"
    for context, telling in _TELLING[1:]:
        if names & telling:
            return context
    if any(outline.top.values()):
        return "http"
    for context, line, words in (
        ("types", compiled(_TYPE), frozenset[str]()),
        ("geo", compiled(_NETWORK), _NETWORK_WORDS),
        ("map", compiled(_KEY), _KEY_WORDS),
    ):
        if names - words and all(map(line.fullmatch, names - words)):
            return context
    return "http"
