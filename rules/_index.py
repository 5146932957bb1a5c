"""Which rules there are, and what has to occur for them to fire. Generated: make docs."""

from __future__ import annotations

RULES: dict[str, tuple[str, str, bool, tuple[str, ...]]] = {
    "add_header_inheritance": ("add-header-inheritance", "correctness", False, ("add_header", "add_trailer")),
    "alias_traversal": ("alias-traversal", "security", False, ("alias",)),
    "header_splitting": ("header-splitting", "security", False, ("return", "rewrite", "add_header", "proxy_set_header", "grpc_set_header", "proxy_pass")),
    "include_missing": ("include-missing", "correctness", False, ()),
    "named_location_undefined": ("named-location-undefined", "correctness", False, ("try_files", "error_page", "post_action")),
    "nested_location_loses_handler": ("nested-location-loses-handler", "proxy", False, ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")),
    "proxy_buffers_inconsistent": ("proxy-buffers-inconsistent", "proxy", False, ("proxy_buffer_size", "proxy_buffers", "proxy_busy_buffers_size", "proxy_temp_file_write_size", "proxy_max_temp_file_size", "fastcgi_buffer_size", "fastcgi_buffers", "fastcgi_busy_buffers_size", "fastcgi_temp_file_write_size", "fastcgi_max_temp_file_size", "uwsgi_buffer_size", "uwsgi_buffers", "uwsgi_busy_buffers_size", "uwsgi_temp_file_write_size", "uwsgi_max_temp_file_size", "scgi_buffer_size", "scgi_buffers", "scgi_busy_buffers_size", "scgi_temp_file_write_size", "scgi_max_temp_file_size")),
    "proxy_group_near_miss": ("proxy-group-near-miss", "proxy", False, ("upstream",)),
    "proxy_scheme_missing": ("proxy-scheme-missing", "proxy", False, ("proxy_pass", "grpc_pass", "uwsgi_pass", "fastcgi_pass", "scgi_pass", "memcached_pass")),
    "proxy_set_header_inheritance": ("proxy-set-header-inheritance", "proxy", False, ("proxy_set_header", "grpc_set_header")),
    "proxy_slash_mismatch": ("proxy-slash-mismatch", "proxy", False, ("proxy_pass",)),
    "proxy_tls_no_sni": ("proxy-tls-no-sni", "tls", False, ("proxy_pass", "grpc_pass", "uwsgi_pass")),
    "proxy_uri_forbidden": ("proxy-uri-forbidden", "proxy", False, ("proxy_pass",)),
    "proxy_variable_drops_path": ("proxy-variable-drops-path", "proxy", False, ("proxy_pass",)),
    "proxy_variable_group_port": ("proxy-variable-group-port", "proxy", False, ("upstream",)),
    "proxy_variable_no_resolver": ("proxy-variable-no-resolver", "proxy", False, ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")),
    "proxy_variable_no_scheme": ("proxy-variable-no-scheme", "proxy", False, ("proxy_pass",)),
    "return_shadows_locations": ("return-shadows-locations", "correctness", False, ("return", "rewrite")),
    "try_files_last_arg": ("try-files-last-arg", "correctness", False, ("try_files",)),
    "upstream_all_down": ("upstream-all-down", "upstream", False, ("upstream",)),
    "upstream_duplicate": ("upstream-duplicate", "upstream", False, ("upstream",)),
    "upstream_tls_default_port": ("upstream-tls-default-port", "tls", False, ("upstream",)),
    "upstream_unused": ("upstream-unused", "upstream", False, ("upstream",)),
    "websocket_incomplete": ("websocket-incomplete", "proxy", False, ("proxy_set_header",)),
}  # fmt: skip
