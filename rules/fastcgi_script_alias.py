from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, note, references, replace

_NAMES = ("fastcgi_script_name", "uri", "document_uri", "script_name")


class FastcgiScriptAlias(Rule):
    """Under an `alias` the script is looked for in the wrong place: `$document_root$fastcgi_script_name` holds the prefix twice.

    With `location /blog/ { alias /srv/wp/; location ~ \\.php$ { … } }` and that SCRIPT_FILENAME, /blog/index.php is told to
    PHP as /srv/wp//blog/index.php: "File not found". `$document_root` is the alias, and the script name still begins with
    the prefix. Write `fastcgi_param SCRIPT_FILENAME $request_filename;`. Not reported: other backends than PHP, which may
    ask for no file, and exact locations, where PHP finds the script on the way.
    Source: ngx_http_core_module ($document_root, $request_filename); ngx_http_fastcgi_module.
    """

    id = "fastcgi-script-alias"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("fastcgi_param",)
    texts = ("\0script_filename\0",)
    examples = (
        Bad(
            "location /blog/ {\n alias /srv/wp/;\n location ~ \\.php$ {\n"
            "  fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; # here\n  fastcgi_pass php:9000;\n }\n}",
            "location /blog/ {\n alias /srv/wp/;\n location ~ \\.php$ {\n"
            "  fastcgi_param SCRIPT_FILENAME $request_filename; # here\n  fastcgi_pass php:9000;\n }\n}",
        ),
        Bad(
            "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; # here\n"
            "server { location /a { alias /srv/a; fastcgi_pass php:9000; } }"
        ),
        Good(
            "location /b/ { alias /s/; location ~ p$ { fastcgi_param SCRIPT_FILENAME $request_filename; fastcgi_pass p:9; } }"
        ),
        Good(
            "location /b/ { root /s; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass p:9; }"
        ),
        Good(
            "location /b/ { alias /s/; fastcgi_split_path_info ^/b(/.+\\.php)(.*)$;"
            " fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass p:9; }"
        ),
        Good(
            "location /b/ { alias /s/; rewrite ^/b(/.*)$ $1 break;"
            " fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass p:9; }"
        ),
        Good(
            "location / { alias /s/; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass p:9; }"
        ),
        Good(
            "location = /status { alias /s/status.php; fastcgi_pass php:9;"
            " fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }"
        ),
        Good(
            "location /git/ { alias /s/; fastcgi_pass unix:/run/fcgiwrap.sock;"
            " fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }"
        ),
        Good("location /b/ { alias /s/; fastcgi_param SCRIPT_FILENAME /s/run.php; fastcgi_pass p:9; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported = set()
        for target in config.passes("fastcgi_pass") if config.concerns(("alias",)) else ():
            place = target.directive
            scope = config.scope(place)
            alias = _alias_around(place)
            lines = [one for one in scope.effective("fastcgi_param") if one.values[:1] == ("SCRIPT_FILENAME",)]
            if alias is None or not alias.values or not lines or lines[-1] in reported or not _doubles(lines[-1]):
                continue
            holder = config.location(alias)
            if holder is None or holder.is_regex or holder.modifier == "=" or holder.pattern in ("", "/"):
                continue
            if not _is_php(place, alias) or _changed(config, place, alias):
                continue
            reported.add(lines[-1])
            yield self._finding(lines[-1], alias, holder.pattern)

    def _finding(self, line: Directive, alias: Directive, prefix: str) -> Diagnostic:
        word, folder = line.args[1], alias.values[0]
        own = line.parent is not None and alias.parent in (line.parent, *line.parent.ancestors())
        fix = Fix("use $request_filename", (replace(word.span, "$request_filename"),), safe=False)
        return self.report(
            word,
            f"PHP is told {folder}{prefix.rstrip('/')}/index.php for {prefix.rstrip('/')}/index.php: File not found",
            fix if own else None,
            related=(note(alias, "the alias has taken the place of the prefix"),),
            help="write fastcgi_param SCRIPT_FILENAME $request_filename; there",
        )


def _alias_around(place: Directive) -> Directive | None:
    """The nearest `alias`; None where a `root` is nearer."""
    block = place.parent
    while block is not None and block.child("root", "alias") is None:
        block = block.parent
    return block.child("alias") if block is not None else None


def _doubles(line: Directive) -> bool:
    names = references(line.values[1]) if len(line.values) > 1 else []
    return len(names) == 2 and names[0] in ("document_root", "realpath_root") and names[1] in _NAMES


def _is_php(place: Directive, alias: Directive) -> bool:
    """Does the location, the address or the index speak of PHP?"""
    said = list(place.values)
    for block in (place.parent, alias.parent):
        if block is not None:
            said += [*block.values, *(value for line in block.children("fastcgi_index") for value in line.values)]
    return any("php" in value.lower() for value in said)


def _changed(config: Config, place: Directive, alias: Directive) -> bool:
    """Is the script name made without the prefix, or the alias not around it?"""
    scope = config.scope(place)
    if scope.effective("fastcgi_split_path_info"):
        return True
    block = place.parent
    while block is not None and block.name in ("location", "if"):
        if block in config.gaps or block.child("rewrite") is not None:
            return True
        if any("break" in line.values for test in block.blocks("if") for line in test.children("rewrite")):
            return True
        if block is alias.parent:
            return False
        block = block.parent
    return True
