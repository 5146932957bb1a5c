"""How each directive is inherited by the blocks inside: nearest wins, as a whole set, or never.

Source: the merge functions of the nginx modules (`ngx_http_*_merge_loc_conf`), all rows observed on real nginx
(reference/upstream-semantics.md F). A directive that is in neither table is a scalar: the nearest one wins.
"""

from __future__ import annotations

FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")

# One directive of that name (or of its set) at a level replaces everything inherited.
_SETS: tuple[tuple[str, ...], ...] = (
    ("allow", "deny"),
    ("add_header",),
    ("add_trailer",),
    ("error_page",),
    ("access_log",),
    ("limit_req",),
    ("limit_conn",),
    ("auth_request_set",),
    ("mirror",),
    ("sub_filter",),
    ("index",),
    ("types",),
    ("set_real_ip_from",),
    ("error_log",),
    ("proxy_set_header",),
    ("grpc_set_header",),
    ("fastcgi_param",),
    ("uwsgi_param",),
    ("scgi_param",),
    ("proxy_redirect",),
    ("proxy_cookie_domain",),
    ("proxy_cookie_path",),
    ("proxy_cookie_flags",),
    *((f"{family}_hide_header",) for family in FAMILIES),
    *((f"{family}_pass_header",) for family in FAMILIES),
    *((f"{family}_ssl_conf_command",) for family in FAMILIES),
    *((f"{family}_cache_valid",) for family in FAMILIES),
    *((f"{family}_cache_bypass",) for family in FAMILIES),
    *((f"{family}_no_cache",) for family in FAMILIES),
    ("ssl_conf_command",),
)
SET_OF: dict[str, tuple[str, ...]] = {name: names for names in _SETS for name in names}

# What says what a location does: a nested location starts without it.
HANDLERS = frozenset(
    "proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass tunnel_pass empty_gif stub_status mp4 flv "
    "perl content_by_lua content_by_lua_block content_by_lua_file js_content return echo".split()
)
PASSES = frozenset("proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass tunnel_pass".split())
NEVER = HANDLERS | frozenset(
    "try_files rewrite set if break limit_except internal alias fastcgi_split_path_info listen server_name".split()
)

# `if` and `limit_except` are anonymous locations that take over the pass target of the location around them.
ANONYMOUS = frozenset(("if", "limit_except"))
