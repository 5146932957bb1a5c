"""What the catalogue check says of single statements, and that one cause gives one finding."""

from __future__ import annotations

import random

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.modules import built_modules
from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import NEWEST, Target
from nginxlint.diagnostic import Confidence, Severity
from nginxlint.files import Disk
from nginxlint.includes import load

HTTP = "events {{}}\nhttp {{\n{}\n}}\n"
SERVER = "events {{}}\nhttp {{\nserver {{\n{}\n}}\n}}\n"
LOCATION = "events {{}}\nhttp {{\nserver {{\nlocation / {{\n{}\n}}\n}}\n}}\n"


def refusals(text, target=None, complete=True, around=()):
    loaded = load(Disk("/nonexistent"), "nginx.conf", text, around)
    return check(loaded.main, target or Target(), complete=complete)


def test_a_plain_configuration_is_accepted():
    assert refusals(LOCATION.format("proxy_pass http://127.0.0.1:8080; proxy_set_header Host $host;")) == []


@pytest.mark.parametrize(
    ("template", "statement", "rule", "nginx"),
    [
        (HTTP, "gzipp on;", "directive-unknown", 'unknown directive "gzipp"'),
        (HTTP, "proxy_pass http://a;", "directive-context", '"proxy_pass" directive is not allowed here'),
        (HTTP, "gzip on off;", "arguments-invalid", 'invalid number of arguments in "gzip" directive'),
        (HTTP, "include a b;", "arguments-invalid", 'invalid number of arguments in "include" directive'),
        (HTTP, "server;", "block-missing", 'directive "server" has no opening "{"'),
        (HTTP, "gzip on { }", "block-unexpected", 'directive "gzip" is not terminated by ";"'),
        (
            HTTP,
            "gzip yes;",
            "arguments-invalid",
            'invalid value "yes" in "gzip" directive, it must be "on" or "off"',
        ),
        (HTTP, "gzip on; gzip off;", "directive-repeat", '"gzip" directive is duplicate'),
        (HTTP, "client_max_body_size 10MB;", "arguments-invalid", '"client_max_body_size" directive invalid value'),
        (HTTP, "send_timeout 65sec;", "arguments-invalid", '"send_timeout" directive invalid value'),
        (HTTP, "gzip_comp_level 11;", "arguments-invalid", "value must be between 1 and 9"),
        (
            HTTP,
            "server_names_hash_max_size x;",
            "arguments-invalid",
            '"server_names_hash_max_size" directive invalid number',
        ),
        (HTTP, "gzip_http_version 2;", "arguments-invalid", 'invalid value "2"'),
        (LOCATION, "proxy_buffers 0 8k;", "arguments-invalid", '"proxy_buffers" directive invalid value'),
        (LOCATION, "proxy_pass http://$nope;", "variable-unknown", 'unknown "nope" variable'),
        (LOCATION, 'add_header A "$";', "variable-invalid", "invalid variable name"),
        (LOCATION, 'add_header A "${host";', "variable-invalid", 'the closing bracket in "host" variable is missing'),
        (SERVER, "set host 1;", "variable-invalid", 'invalid variable name "host"'),
        (SERVER, "set $host 1;", "variable-redefined", 'the duplicate "host" variable'),
        (LOCATION, "limit_req zone=z;", "zone-undefined", 'zero size shared memory zone "z"'),
        (LOCATION, "proxy_cache z;", "zone-undefined", '"proxy_cache" zone "z" is unknown'),
    ],
)
def test_a_refusal_has_the_words_of_nginx(template, statement, rule, nginx):
    found = refusals(template.format(statement))
    assert [(one.rule, one.nginx_message) for one in found] == [(rule, nginx)]
    assert found[0].blocks_start and found[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    "statement",
    [
        "proxy_set_header X $arg_anything$http_x_y$cookie_z$upstream_http_a$sent_http_b;",
        'if ($uri ~ "^/(?<id>[0-9]+)$") { set $x $id; }',
        "rewrite ^/(?<page>.*)$ /$page?$1 last;",
        "js_set $mine main.f; set $a $mine;",
        "set_md5 $digest secret; set $a $digest;",
        "set $a b; proxy_pass http://$A;",
        'rewrite "^/a$" /b$is_args$args;',
    ],
)
def test_variables_that_somebody_defines_are_known(statement):
    template = HTTP if statement.startswith("js_") else LOCATION
    statement = statement.replace(" set $a $mine;", " server { set $a $mine; }")
    assert refusals(template.format(statement)) == []


def test_what_stands_in_http_and_no_server_inherits_is_not_read_by_nginx():
    assert refusals(HTTP.format("proxy_set_header A $nope;")) == []
    assert refusals(HTTP.format("proxy_set_header A $nope; server { proxy_set_header A b; }")) == []
    assert [one.rule for one in refusals(HTTP.format("proxy_set_header A $nope; server { }"))] == ["variable-unknown"]


def test_a_missing_semicolon_is_reported_at_the_end_of_its_line_and_once():
    text = SERVER.format("client_max_body_size 10m\nkeepalive_requests 5;\nlocation / { }")
    (found,) = refusals(text)
    assert found.rule == "semicolon-missing"
    assert (found.span.line, found.span.column) == (4, 25)
    assert found.nginx_at is not None and found.nginx_at.line == 5
    assert found.nginx_message == 'invalid number of arguments in "client_max_body_size" directive'
    assert any("nginx" in note.label and note.span.line == 5 for note in found.related)
    assert found.fixes[0].safe and found.fixes[0].edits[0].text == ";"


def test_arguments_on_several_lines_are_no_missing_semicolon():
    (found,) = refusals(HTTP.format("gzip_types\n  text/css\n  text/plain\n;\ngzip\n  maybe;"))
    assert found.rule == "arguments-invalid"


def test_one_unknown_name_used_often_is_one_finding():
    (found,) = refusals(HTTP.format("nosuch 1; nosuch 2; server { nosuch 3; }"))
    assert len(found.related) == 2
    (found,) = refusals(SERVER.format("add_header A $nope; location /b { return 200 $nope; }"))
    assert [note.span.line for note in found.related] == [4]


def test_statements_out_of_place_in_one_block_are_one_finding():
    (found,) = refusals(HTTP.format("proxy_pass http://a;\nalias /x;\ninternal;"))
    assert found.span.line == 3
    assert [note.span.line for note in found.related] == [4, 5]


def test_a_snippet_is_not_blamed_for_what_may_stand_elsewhere():
    assert refusals("limit_req zone=z; return 200 $nope;", complete=False, around=("http", "server", "location")) == []


def test_a_name_that_an_unreadable_file_may_define_is_less_certain():
    (found,) = refusals(LOCATION.format("include nosuch.conf; return 200 $nope;"))
    assert found.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("statement", "version", "rule", "says"),
    [
        ("server { http2 on; }", (1, 22, 1), "directive-unknown", "1.25.1 and later"),
        ("ssl on;", (1, 25, 1), "directive-unknown", "removed in 1.25.1"),
        ("ssl on;", (1, 22, 1), "directive-deprecated", "listen ... ssl"),
        ("server { location / { health_check; } }", NEWEST, "directive-unknown", "NGINX Plus"),
    ],
)
def test_versions_and_editions_decide(statement, version, rule, says):
    (found,) = refusals(HTTP.format(statement), Target(version))
    assert found.rule == rule
    assert any(says in line for line in found.help)


def test_plus_directives_are_known_to_plus():
    assert refusals(HTTP.format("server { location / { status_zone a; } }"), Target(plus=True)) == []
    group = HTTP.format("upstream a { zone a 64k; server b.test route=c; sticky route $arg_a; least_time header; }")
    assert refusals(group, Target((1, 27, 4), plus=True)) == []
    assert [one.rule for one in refusals(group, Target((1, 27, 4)))].count("directive-unknown") == 2


def test_a_module_that_is_not_built_in_is_named():
    target = Target.from_build("nginx version: nginx/1.26.2\nconfigure arguments: --with-http_ssl_module\n")
    assert target is not None and target.version == (1, 26, 2)
    (found,) = refusals(HTTP.format("server { location / { stub_status; } }"), target)
    assert any("ngx_http_stub_status_module" in line for line in found.help)
    (found,) = refusals(HTTP.format("brotli on;"), target)
    assert any("brotli" in line for line in found.help)


def test_third_party_directives_are_accepted_where_the_modules_are_unknown():
    assert refusals(LOCATION.format("echo hello; more_set_headers 'A: b'; content_by_lua_block { ngx.say('}') }")) == []


def test_variables_that_other_modules_make_are_known_and_no_others():
    made = "array_split ',' $arg_a to=$list; array_join ' ' $list to=$joined; set_md5 $sum $joined; echo $joined $sum;"
    assert refusals(LOCATION.format(made)) == []
    (found,) = refusals(LOCATION.format(f"{made} add_header X $other;"))
    assert found.nginx_message == 'unknown "other" variable'
    stream = "events {{}} stream {{ lua_add_variable $kind; log_format a '$kind {}'; }}"
    assert refusals(stream.format("")) == [] and len(refusals(stream.format("$other"))) == 1


STOCK = "nginx version: nginx/1.26.2\nconfigure arguments: --with-compat"


@pytest.mark.parametrize(
    ("load", "statement", "reported"),
    [
        ("", "js_import a.js;", True),
        ("load_module modules/ngx_http_js_module.so;", "js_import a.js;", False),
        ("load_module modules/ngx_http_js_module.so;", "brotli on;", True),
        ("load_module modules/ngx_http_brotli_filter_module.so;", "brotli on;", False),
        ("load_module modules/ngx_http_ours_module.so;", "ours_switch_for_all on;", False),
        ("load_module modules/ngx_http_ours_module.so;", "gzipp on;", True),
        ("load_module modules/ngx_http_js_module.so;", "ours_switch_for_all on;", True),
    ],
)
def test_modules_that_are_loaded_bring_their_directives(load, statement, reported):
    for target in (Target.from_build(STOCK), Target()):
        if target.modules is None and DIRECTIVES.rows(statement.split()[0]):
            continue  # any known module may be there
        found = refusals(load + HTTP.format(statement), target)
        assert [one.rule for one in found] == ["directive-unknown"] * reported


def test_a_build_with_a_module_nobody_knows_leaves_doubt():
    target = Target.from_build(STOCK + " --add-module=/src/ours")
    assert refusals(HTTP.format("ours_switch_for_all on; brotli on;"), target) == []
    (found,) = refusals(HTTP.format("gzipp on;"), target)
    assert found.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("prxoy_pass http://a;", "proxy_pass"), ("Root /x;", "root"), ("add_heder A b;", "add_header")],
)
def test_the_nearest_directive_of_this_place_is_suggested(wrong, meant):
    (found,) = refusals(LOCATION.format(wrong))
    assert found.help == (f'did you mean "{meant}"?',)
    assert found.fixes[0].edits[0].text == meant


@pytest.mark.parametrize(("character", "named"), [("\ufeff", "byte order mark"), ("\u00a0", "no-break space")])
def test_invisible_characters_are_named(character, named):
    found = refusals(f"events {{}}\n{character}http {{ }}\n")
    assert named in found[0].help[0]


def test_refusals_come_in_the_order_of_nginx():
    found = refusals(HTTP.format("server { return 200 $nope; }\ngzip yes;\nlimit_req zone=z;"))
    assert [one.rule for one in found] == ["arguments-invalid", "variable-unknown", "zone-undefined"]
    assert [one.order for one in found] == [0, 1, 2]


def test_a_configuration_without_events_is_refused_unless_it_is_a_snippet():
    assert [one.rule for one in refusals("http { }\n")] == ["events-missing"]
    assert refusals("http { }\n", complete=False) == []


@pytest.mark.parametrize(
    "text", ["", "{", "}", ";", '"" x;', "http {", "a { b { c", "events;", "http x y z;", "\x00 a;"]
)
def test_rubbish_is_judged_without_a_crash(text):
    for around in ((), ("http",), ("http", "server", "location"), ("stream", "server"), ("mail",)):
        refusals(text, around=around)


def test_no_damage_to_a_configuration_makes_the_check_fail():
    whole = SERVER.format(
        'listen 80 default_server; ssl_certificate "a b"; proxy_cache_valid 404 "1m";\n'
        "location ~ '^/a{2}$' { proxy_bind $remote_addr \"transparent\"; valid_referers none server_names ~x; }\n"
        'if ($uri = "/") { return 301 "https://${host}/"; } set $x "y";'
    )
    chance = random.Random(7)
    for _ in range(600):
        at = chance.randrange(len(whole))
        damaged = whole[:at] + chance.choice(["", "'", '"', "{", "}", ";", "\\", "$", "#", "\n", "é"]) + whole[at + 1 :]
        for refusal in refusals(damaged):
            assert 0 <= refusal.span.start <= refusal.span.end <= len(damaged)
            assert refusal.nginx_at is None or refusal.nginx_at.line >= 1
            assert all(note.span.line >= 1 for note in refusal.related)


def test_modules_beyond_the_catalogue_are_taken_for_loaded_unless_the_build_is_known():
    text = LOCATION.format("passenger_enabled on; passenger_ruby /usr/bin/ruby;")
    assert refusals(text) == []
    found = refusals(text, Target((1, 28, 0), built_modules(())))
    (refusal,) = [one for one in found if one.nginx_message == 'unknown directive "passenger_enabled"']
    assert any("Phusion Passenger" in line for line in refusal.help)


@pytest.mark.parametrize("name", ["proxy_connect", "vod_hls_segment_file_name_prefix", "proxy_wasm", "session_sticky"])
def test_a_module_beyond_the_catalogue_does_not_hide_the_typos_around_it(name):
    assert refusals(LOCATION.format(f"{name} on;")) == []
    assert [one.rule for one in refusals(LOCATION.format("proxy_connect_timeot 5s; proxy_connects on;"))] == [
        "directive-unknown"
    ] * 2


def test_what_a_server_of_the_ldap_module_holds_is_not_judged():
    settings = (
        'url ldap://10.0.0.1/dc=a?uid?sub; binddn "cn=a"; group_attribute member; satisfy any; require valid_user;'
    )
    assert refusals(HTTP.format(f"ldap_server one {{ {settings} }}")) == []


def test_openresty_takes_the_resolver_of_the_machine():
    assert [one.rule for one in refusals(HTTP.format("resolver local=on;"))] == ["arguments-invalid"]
    assert refusals(HTTP.format("resolver local=on ipv6=off; lua_code_cache on;")) == []


def test_what_only_freebsd_and_macos_have_is_accepted_where_the_paths_are_theirs():
    text = "events {{ use kqueue; }} http {{ server {{ listen 90 setfib=1; send_lowat 1k; root {}; }} }}"
    assert [one.rule for one in refusals(text.format("/srv/www"))] == [
        "arguments-invalid",
        "arguments-invalid",
        "directive-ignored",
    ]
    assert refusals(text.format("/usr/local/www/nginx")) == []


def test_the_exporter_of_the_otel_module_takes_its_settings():
    settings = "endpoint localhost:4317; interval 5s; batch_size 512; batch_count 4; header a b;"
    assert refusals(HTTP.format(f"otel_exporter {{ {settings} }}")) == []
