"""Many directives of one name are judged together, and what has nothing to say is not asked: nothing may be missed by it."""

from __future__ import annotations

from collections import Counter
from importlib import import_module

import pytest

from nginxlint.catalogue import check, frame
from nginxlint.catalogue.checks.owners import ENDS_OF_OWN
from nginxlint.catalogue.context import SUBSYSTEM, Context
from nginxlint.catalogue.entry import Entry
from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import Target
from nginxlint.catalogue.variant import variants
from nginxlint.files import Dump
from nginxlint.includes import load

HOST = """
upstream u{0} {{ zone u{0} 64k; server 10.0.0.{0}:80 weight=2; server 10.0.1.{0} backup; }}
server {{
    listen 80; server_name h{0}.example www.h{0}.example; root /srv/h{0}; access_log /log/h{0} combined;
    ssl_protocols TLSv1.2 TLSv1.3; gzip_types text/css image/svg+xml;
    location / {{ proxy_pass http://u{0}; proxy_set_header Host $host; proxy_set_header Upgrade $up; }}
    location ~ \\.php$ {{ fastcgi_pass unix:/run/h{0}.sock; fastcgi_param X $uri; }}
    location = /old {{ return 301 https://h{0}.example$request_uri; }}
}}
"""
MAP = "map $http_upgrade $up { default upgrade; }"
COUNT = 30


def findings(hosts, monkeypatch, many, *, included):
    monkeypatch.setattr(frame, "MANY", many)
    files = {}
    if included:  # what stands in each server is in a file of its own
        for number, host in enumerate(hosts):
            around, _, inside = host.partition("server {\n")
            files[f"/{number}.conf"] = inside.rstrip().removesuffix("}").encode()
            hosts[number] = f"{around}server {{ include /{number}.conf; }}"
    loaded = load(Dump(files, "/"), "nginx.conf", "events {}\nhttp {\n" + MAP + "".join(hosts) + "}\n")
    return [
        (one.rule, one.message, repr(one.span), one.nginx_message, one.order, repr(one.related))
        for one in check(loaded.main, Target())
    ]


def hosts():
    return [HOST.format(number) for number in range(COUNT)]


@pytest.mark.parametrize("included", [False, True])
def test_what_is_right_is_not_looked_at_one_by_one(monkeypatch, included):
    look_closer = frame.Frame._look_closer
    looked_at = set()

    def spy(self, directive, *rest):
        looked_at.add(directive.name)
        look_closer(self, directive, *rest)

    monkeypatch.setattr(frame.Frame, "_look_closer", spy)
    assert findings(hosts(), monkeypatch, 1, included=included) == []
    assert looked_at == {"map"}


def test_what_is_right_is_not_walked_through_block_by_block(monkeypatch):
    body = frame.Frame._body
    walked = Counter()

    def spy(self, block, world):
        walked[world.place] += 1
        body(self, block, world)

    monkeypatch.setattr(frame.Frame, "_body", spy)
    assert findings(hosts(), monkeypatch, 1, included=False) == []
    # with the first of a name that name is known
    assert walked == dict.fromkeys(("main", "events", "http", "upstream", "server"), 1)


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("return 301 ", "return 3o1 ", "arguments-invalid"),
        ("return 301 ", "return 1301 ", "arguments-invalid"),
        ("$request_uri", "$reqest_uri", "variable-unknown"),
        ("$request_uri", "${request_uri", "variable-invalid"),
        ("Upgrade $up", "Upgrade $dn", "variable-unknown"),
        ("server_name h7.example", "server_name *h7.example", "server-name-invalid"),
        ("server_name h7.example", "server_name h7..example", "server-name-invalid"),
        ("server_name h7.example", "server_name " + "h" * 70, "hash-too-small"),
        ("server_name h7.example", "server_name ~(?<uri>h7)", "variable-redefined"),
        ("root /srv/h7;", "root /srv/h7; root /srv/h8;", "directive-repeat"),
        ("root /srv/h7;", "root $document_root;", "arguments-invalid"),
        ("location = /old", "location = /old { } location = /old", "location-duplicate"),
        ("location = /old", "location =/old { } location = /old", "location-duplicate"),
        ("location = /old", "location ~~ /old", "location-modifier-invalid"),
        ("location = /old", "location ~ (old", "regex-invalid"),
        ("location / {", "location / { location /a { } location /a { }", "location-duplicate"),
        ("location / {", "location /a { location /b { } } location / {", "location-nesting-invalid"),
        ("server 10.0.0.7:80", "server 10.0.0.7:80000", "upstream-address-invalid"),
        ("server 10.0.0.7:80", "server '10.0.0.7:80\nb:99'", "upstream-address-invalid"),
        ("weight=2", "weight=x", "arguments-invalid"),
        ("zone u7 64k;", "ip_hash; zone u7 64k;", "upstream-backup-unsupported"),
        ("zone u7 64k;", "zone u6 32k;", "zone-conflict"),
        ("zone u7 64k;", "zone u7 4k;", "zone-too-small"),
        ("upstream u7", "limit_req_zone $uri zone=u7:1m rate=1r/s; upstream u7", "zone-conflict"),
        ("upstream u7", "upstream U8", "upstream-duplicate"),
        ("upstream u7", "server; upstream u7", "block-missing"),
        ("server 10.0.0.7:80 weight=2; server 10.0.1.7 backup;", "", "upstream-empty"),
        ("proxy_pass http://u7", "proxy_pass http://u7:81", "upstream-port-on-group"),
        ("proxy_pass http://u7;", "proxy_pass http://u7; } location ~ u { proxy_pass http://u7/;", "proxy-uri-forbidden"),
        ("proxy_pass http://u7;", "if ($uri) { proxy_pass http://u7/; }", "proxy-uri-forbidden"),
        ("proxy_pass http://u7", "proxy_pass u7", "proxy-scheme-missing"),
        ("fastcgi_pass unix:/run/h7.sock", "fastcgi_pass h7", "upstream-address-invalid"),
        ("/log/h7 combined", "/log/h7 combind", "log-format-undefined"),
        ("/log/h7 combined", "/log/h7 combined buffer=2x", "arguments-invalid"),
        ("listen 80;", "listen 80; listen 80;", "listen-duplicate"),
        ("listen 80;", "listen 80 default_server;", "default-server-duplicate"),
        ("fastcgi_param X $uri", "fastcgi_param X", "arguments-invalid"),
        ("fastcgi_param X $uri;", "fastcgi_param X $uri { }", "block-unexpected"),
        ("proxy_set_header Host $host;", "proxy_pass http://u7; ", "directive-repeat"),
        ("proxy_set_header Host", "proxy_set_heder Host", "directive-unknown"),
        ("TLSv1.2 TLSv1.3", "TLSv1.2 TLSv1.2", "value-duplicate"),
        ("TLSv1.2 TLSv1.3;", "TLSv1.2; ssl_protocols TLSv1.2;", "value-duplicate"),
        ("text/css ", "text/html ", "value-duplicate"),
        ("gzip_types text/css", "gzip_types TEXT/css; gzip_types text/css", "value-duplicate"),
        ("gzip_types text/css", "gzip_types text/c" + 50 * "s", "hash-too-small"),
    ],
)  # fmt: skip
def test_one_fault_among_many_is_found(monkeypatch, right, wrong, rule, included):
    faulty = hosts()
    for number in (7, 20):
        assert right in faulty[number].replace(str(number), "7")
        faulty[number] = faulty[number].replace(right.replace("7", str(number)), wrong.replace("7", str(number)), 1)
    together = findings([*faulty], monkeypatch, 1, included=included)
    assert rule in [one[0] for one in together]
    assert together == findings(faulty, monkeypatch, 10**9, included=included)


@pytest.mark.parametrize("name", ["backup", "resolve"])
def test_a_server_may_have_the_name_of_a_parameter(name):
    group = f"upstream u {{ server {name}; server 10.0.0.1 backup; }} upstream v {{ server {name}; }}"
    loaded = load(Dump({}, "/"), "nginx.conf", f"events {{}} http {{ {group} }}")
    assert check(loaded.main, Target()) == []


def test_families_that_end_only_their_own_say_nothing_where_none_of_their_checks_was_asked(corpus):
    """They are not imported there."""
    ends = {key: import_module(f"nginxlint.catalogue.checks.{key[1]}").BLOCK_END[key[0]] for key in ENDS_OF_OWN}
    tried = 0
    for row, text in corpus:
        main = load(Dump({}, "/"), str(row["path"]), text).main
        for (place, _), end in ends.items():
            for block in main.blocks(place):
                context = Context(main, Target())
                context.place = place
                assert list(end(block, context)) == []
                tried += 1
    assert tried > 500


def test_in_http_the_name_of_a_place_holds_that_of_its_blocks() -> None:
    """`Namesakes` counts on it to tell the `server` of a group from a virtual host."""
    target = Target()
    places = {
        (name, entry.enters)
        for name in DIRECTIVES.names()
        for variant in variants(name, target)
        if variant.block
        for place in variant.contexts
        if SUBSYSTEM.get(place) == "http"
        for entry in [Entry([variant], place, name)]
        if SUBSYSTEM.get(entry.enters or "") == "http"
    }
    assert {"server", "location", "if", "limit_except"} <= {name for name, _ in places}
    assert all(name in place for name, place in places)
