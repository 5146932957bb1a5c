from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Include,
    Iterator,
    Rule,
    Scope,
    Severity,
    add_to_set,
)

_LINE = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;"
_NAMES = (("SCRIPT_FILENAME",), ("PATH_TRANSLATED",))


class FastcgiScriptMissing(Rule):
    """PHP is not told which script to run: no `fastcgi_param SCRIPT_FILENAME` is in effect.

    php-fpm then answers with a blank page, or with 404 and "Primary script unknown". nginx sends only the `fastcgi_param`s
    that are in effect, and one of them in a location replaces all those of the server. The file `fastcgi_params` that comes
    with nginx does not hold this one, `fastcgi.conf` does. Write
    `fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;`. Silent where a file that is included was not found, and
    about backends that do not look like PHP.
    Source: ngx_http_fastcgi_create_request; documentation of fastcgi_param; php-fpm's fpm_main.c.
    """

    id = "fastcgi-script-missing"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("fastcgi_pass",)
    examples = (
        Bad(
            "server {\n    location ~ \\.php$ {\n        fastcgi_pass unix:/run/php/php8.2-fpm.sock; # here\n    }\n}",
            "server {\n    location ~ \\.php$ {\n        fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n"
            "        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; # here\n    }\n}",
        ),
        Bad(
            "server {\n    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n    location ~ \\.php$ {\n"
            "        fastcgi_param HTTPS on;\n        fastcgi_pass app:9000; # here\n    }\n}",
            "server {\n    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n    location ~ \\.php$ {\n"
            "        fastcgi_param HTTPS on;\n        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n"
            "        fastcgi_pass app:9000; # here\n    }\n}",
        ),
        Good("server { fastcgi_param SCRIPT_FILENAME /srv/index.php; location ~ \\.php$ { fastcgi_pass php:9000; } }"),
        Good("server { location ~ \\.php$ { include fastcgi_params; fastcgi_pass php:9000; } }"),
        Good("server { include snippets/*.conf; location ~ \\.php$ { fastcgi_pass php:9000; } }"),
        Good("server { location / { fastcgi_param QUERY_STRING $query_string; fastcgi_pass unix:/run/go.sock; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.snippet or config.broken:
            return
        naming = {line.parent for line in config.saying(lambda values: values[:1] in _NAMES, "fastcgi_param")}
        nameless = [target for target in config.find("fastcgi_pass") if target.parent not in naming]
        unread = {one.directive.parent for one in config.includes if nameless and _may_hold_parameters(one)}
        for target in nameless:
            scope = config.scope(target)
            if any(line.values[:1] in _NAMES for line in scope.effective("fastcgi_param")):
                continue
            if not target.values or not unread.isdisjoint(target.ancestors()) or not _is_php(scope, target):
                continue
            yield self.report(
                target,
                "PHP answers with a blank page, or with 404: no fastcgi_param SCRIPT_FILENAME is in effect",
                Fix("name the script", (add_to_set(scope, _LINE, target),), safe=False),
                label="is not told which script to run",
                help=f"write {_LINE}",
            )


def _may_hold_parameters(include: Include) -> bool:
    """Is it an include that found nothing, and may have found `fastcgi_param`s?"""
    if include.files and not include.problems:
        return False
    around = include.directive.parent
    return around is None or around.name != "http" or "fastcgi" in include.pattern


def _is_php(scope: Scope, target: Directive) -> bool:
    location = target.enclosing("location")
    said = " ".join((*target.values, scope.value("fastcgi_index"), *(location.values if location is not None else ())))
    return "php" in said.lower() or target.values[0].endswith(":9000")
