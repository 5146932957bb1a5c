"""The names a rule is written with: all that `from nginxlint import …` gives. Nothing inside the package imports them."""

# where `collections.abc` has them from, without the import of `collections`
from _collections_abc import Iterable, Iterator

from nginxlint.catalogue.addresses import Network, is_public, is_public_name, parse_network
from nginxlint.catalogue.checks.hashes import names_in_bucket
from nginxlint.catalogue.checks.server_names import hashable
from nginxlint.catalogue.numbers import number_or
from nginxlint.config import Config, Version
from nginxlint.diagnostic import Confidence, Diagnostic, Edit, Fix, Note, Severity
from nginxlint.edits import (
    delete,
    delete_word,
    insert_after,
    insert_before,
    insert_into,
    insert_line_after,
    insert_line_before,
    note,
    replace,
)
from nginxlint.expressions import compiled
from nginxlint.includes import Include
from nginxlint.pattern import shapes
from nginxlint.regex import matches
from nginxlint.routing.admission import access_rules, opening, overruled, refusing_some
from nginxlint.routing.caching import CachedPass, made_of, users_in
from nginxlint.routing.captures import can_hold, group_text, patterns_behind
from nginxlint.routing.certificates import (
    OWN_PROTOCOLS,
    Presented,
    Shown,
    address_of,
    exposed_key,
    tls_servers,
    visited_names,
)
from nginxlint.routing.choice import Choice, chosen_host
from nginxlint.routing.ciphers import weak_suites
from nginxlint.routing.content import answers_itself
from nginxlint.routing.destinations import Destination, destinations, split_template
from nginxlint.routing.escaping import path_is_raw
from nginxlint.routing.examples import example_request, example_uris, paths_of
from nginxlint.routing.front import proxies_in_front, sees_visitors
from nginxlint.routing.handshakes import named_for_websockets
from nginxlint.routing.headers import Header, RequestHeaders, added_header, http_version
from nginxlint.routing.ignored_names import IgnoredNames
from nginxlint.routing.inherited import hands_on, overriding, replaced
from nginxlint.routing.listeners import PROTOCOLS, Endpoint, Listener, endpoints
from nginxlint.routing.lookups import Lookup, Resolver
from nginxlint.routing.names import wrong_names
from nginxlint.routing.passes import Pass, failure
from nginxlint.routing.paths import DeadPrefix, decoded_path, looks_like_regex, regex_meant, respelled
from nginxlint.routing.scope import Scope, milliseconds
from nginxlint.routing.servers import Listen, Location, Server, read_listen, split_condition, split_location
from nginxlint.routing.upstreams import DEFAULT_PORT, KEPT_BY_DEFAULT, Peer, Upstream
from nginxlint.routing.uses import PASSES, Use
from nginxlint.routing.variables import Folded, definitions_of, fold, references
from nginxlint.rule import Bad, Good, Rule, add_to_set
from nginxlint.source import Source, Span
from nginxlint.syntax import Block, Directive, Word
from nginxlint.unix_rights import refused_for

__all__ = [
    "DEFAULT_PORT",
    "KEPT_BY_DEFAULT",
    "OWN_PROTOCOLS",
    "PASSES",
    "PROTOCOLS",
    "Bad",
    "Block",
    "CachedPass",
    "Choice",
    "Confidence",
    "Config",
    "DeadPrefix",
    "Destination",
    "Diagnostic",
    "Directive",
    "Edit",
    "Endpoint",
    "Fix",
    "Folded",
    "Good",
    "Header",
    "IgnoredNames",
    "Include",
    "Iterable",
    "Iterator",
    "Listen",
    "Listener",
    "Location",
    "Lookup",
    "Network",
    "Note",
    "Pass",
    "Peer",
    "Presented",
    "RequestHeaders",
    "Resolver",
    "Rule",
    "Scope",
    "Server",
    "Severity",
    "Shown",
    "Source",
    "Span",
    "Upstream",
    "Use",
    "Version",
    "Word",
    "access_rules",
    "add_to_set",
    "added_header",
    "address_of",
    "answers_itself",
    "can_hold",
    "chosen_host",
    "compiled",
    "decoded_path",
    "definitions_of",
    "delete",
    "delete_word",
    "destinations",
    "endpoints",
    "example_request",
    "example_uris",
    "exposed_key",
    "failure",
    "fold",
    "group_text",
    "hands_on",
    "hashable",
    "http_version",
    "insert_after",
    "insert_before",
    "insert_into",
    "insert_line_after",
    "insert_line_before",
    "is_public",
    "is_public_name",
    "looks_like_regex",
    "made_of",
    "matches",
    "milliseconds",
    "named_for_websockets",
    "names_in_bucket",
    "note",
    "number_or",
    "opening",
    "overriding",
    "overruled",
    "parse_network",
    "path_is_raw",
    "paths_of",
    "patterns_behind",
    "proxies_in_front",
    "read_listen",
    "references",
    "refused_for",
    "refusing_some",
    "regex_meant",
    "replace",
    "replaced",
    "respelled",
    "sees_visitors",
    "shapes",
    "split_condition",
    "split_location",
    "split_template",
    "tls_servers",
    "users_in",
    "visited_names",
    "weak_suites",
    "wrong_names",
]
