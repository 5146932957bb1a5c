from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, note, references, split_condition

_VARIABLES = {"secure_link": "secure_link", "secure_link_secret": "secure_link", "valid_referers": "invalid_referer"}


class LinkCheckUnenforced(Rule):
    """A link or its referer is checked, and what comes of it is never used: everybody gets the file.

    `secure_link` and `valid_referers` refuse nobody: they set `$secure_link` and `$invalid_referer`. Write
    `if ($secure_link = "") { return 403; }` for a wrong or missing hash beside `if ($secure_link = "0") { return 410; }`
    for one that is out of date (the latter alone lets every wrong hash pass), and `if ($invalid_referer) { return 403; }`.
    Silent where a `map`, a script or a header to the backend takes the variable.
    Source: documentation of ngx_http_secure_link_module and ngx_http_referer_module.
    """

    id = "link-check-unenforced"
    group = "security"
    directives = tuple(_VARIABLES)
    examples = (
        Bad("location /d/ {\n secure_link $arg_md5,$arg_expires; # here\n secure_link_md5 $uri; alias /d/;\n}"),
        Bad(
            "location /d/ {\n secure_link $arg_md5,$arg_expires; # here\n secure_link_md5 $uri;\n"
            ' if ($secure_link = "0") { return 410; }\n}'
        ),
        Bad("location /i/ {\n valid_referers server_names *.a.test; # here\n root /srv;\n}"),
        Good('location /d/ { secure_link $arg_md5; secure_link_md5 $uri; if ($secure_link = "") { return 403; } }'),
        Good('location /d/ { secure_link $arg_md5; secure_link_md5 $uri; if ($secure_link != "1") { return 403; } }'),
        Good(
            "location /d/ { secure_link_secret a; if ($secure_link = '') { return 403; } rewrite ^ /s/$secure_link; }"
        ),
        Good("location /i/ { valid_referers server_names; if ($invalid_referer) { return 403; } }"),
        Good("location /d/ { secure_link $arg_md5; secure_link_md5 $uri; proxy_set_header X-A $secure_link; }"),
        Good("map $invalid_referer $bad { 1 1; } server { valid_referers a.test; if ($bad) { return 403; } }"),
        Good("server { include check.conf; location /i/ { valid_referers a.test; root /srv; } }"),
        Good("server { valid_referers a.test; location /i/ { if ($invalid_referer) { return 403; } } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for checked in config.find(*self.directives):
            block, name = checked.parent, _VARIABLES[checked.name]
            if (
                block is None
                or block.synthetic
                or block.has_gap
                or config.runs_code
                or config.concerns(("map",), (f"${name}", f"${{{name}}}"))
            ):
                continue
            server = block if block.name == "server" else block.enclosing("server")
            if any(gap is server or gap.enclosing("server") is server for gap in config.gaps if server is not None):
                continue
            tests, others = _uses(block, name)
            if others or (tests and (name != "secure_link" or any(map(_refuses_wrong_ones, tests)))):
                continue
            yield self.report(
                checked,
                "a link without a hash or with a wrong one passes: only those that are out of date are refused"
                if tests
                else f"no {'link' if name == 'secure_link' else 'referer'} is refused: nothing asks for ${name}",
                related=tuple(note(test, "asks for 0 only") for test in tests[:1]),
                help=f'write if (${name} = "") {{ return 403; }}'
                if name == "secure_link"
                else f"write if (${name}) {{ return 403; }}",
            )


def _uses(block: Block, name: str) -> tuple[list[Block], bool]:
    """The conditions on a variable in a block and those around it, and whether something else takes it."""
    places: list[Directive] = list(block.walk())
    around = block.parent
    while around is not None and around.parent is not None:
        places += [one for child in around.body for one in (child, *(child.body or ()))]
        around = around.parent
    taking = [one for one in places if any(name in references(value) for value in one.values)]
    tests = [one for one in taking if one.name == "if" and isinstance(one, Block)]
    return tests, len(tests) < len(taking)


def _refuses_wrong_ones(test: Block) -> bool:
    return split_condition(test.values)[1:] != ["=", "0"]
