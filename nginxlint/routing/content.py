"""Where the answer of a location comes from: something written in it, or files of whatever root is in effect."""

from __future__ import annotations

from nginxlint.catalogue.inheritance import PASSES
from nginxlint.routing.servers import Location

# What only tunes an answer. A location with anything else has its own way to make one.
_TUNING = (
    " access_log add_header add_trailer allow auth_basic auth_basic_user_file auth_request auth_request_set charset "
    "client_body_buffer_size client_body_timeout client_max_body_size default_type deny error_log etag expires gzip "
    "gzip_types if if_modified_since include keepalive_timeout limit_conn limit_rate limit_rate_after limit_req "
    "location log_not_found more_clear_headers more_set_headers satisfy send_timeout sendfile set tcp_nodelay "
    "tcp_nopush types "
)
_FAMILIES = ("proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_", "memcached_")


def answers_itself(location: Location, *, but: str = "") -> bool:
    """Does the location say where its answers come from: a pass, `root`, `return`, `deny all`, …? What only tunes an
    answer (headers, expiry, limits, settings of passes) does not count, nor what is inherited, nor the
    directive `but`."""
    scope = location.scope
    if any(rule.values[:1] == ("all",) for rule in scope.own("deny")) and not scope.own("allow"):
        return True
    return any(
        f" {child.name} " not in _TUNING
        and child.name != but
        and (child.name in PASSES or not child.name.startswith(_FAMILIES))
        for child in location.block.body
    )
