from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    example_request,
    paths_of,
    replace,
    shapes,
)


class RewriteLoop(Rule):
    """A `rewrite … last` in a location leads back to the same rewrite: 500 after ten rounds.

    After a rewrite without a flag or with `last`, nginx searches a location for the new URI. If that is the same one,
    or one that rewrites it back, its rewrites run again, and so on: "rewrite or internal redirection cycle".
    In a location write `break` (the request stays here), or make a pattern that the new URI does not match.
    Reported where the simulator follows an example round and round; what hangs on files or headers is not.
    Source: documentation of rewrite; ngx_http_core_post_rewrite_phase.
    """

    id = "rewrite-loop"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("rewrite",)
    examples = (
        Bad(
            "location /download/ {\n    rewrite ^(/download/.*)/media/(.*)$ $1/mp3/media/$2 last; # here\n}",
            "location /download/ {\n    rewrite ^(/download/.*)/media/(.*)$ $1/mp3/media/$2 break; # here\n}",
        ),
        Bad("location /app/ { rewrite ^ /app/index.php; } # here"),
        Bad(
            "location /a/ { rewrite ^/a/(.*) /b/$1 last; } # here\nlocation /b/ { rewrite ^/b/(.*) /a/$1 last; } # here"
        ),
        Good("location /download/ { rewrite ^(/download/.*)/media/(.*)$ $1/mp3/$2 last; }"),
        Good("location /download/ { rewrite ^(/download/.*)/media/(.*)$ $1/mp3/media/$2 break; }"),
        Good("location / { rewrite ^ /index.php last; } location ~ \\.php$ { fastcgi_pass a:9000; }"),
        Good("location / { if (!-f $request_filename) { rewrite ^(.*)$ /index.html last; } }"),
        Good("location / { rewrite ^/old/(.*)$ /new/$1 last; }"),
        Good("rewrite ^/(.*)$ /app/$1 last; location / { root /srv; }"),
        Good("location /a/ { rewrite ^/a/(.*)$ http://a.test/a/$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        by_server: dict[Directive | None, list[Directive]] = {}
        for rewrite in config.find("rewrite"):
            if len(rewrite.values) > 1 and _searches_again(rewrite) and rewrite.enclosing("location") is not None:
                by_server.setdefault(rewrite.enclosing("server"), []).append(rewrite)
        for rewrites in by_server.values():
            for rewrite in rewrites:
                location = config.location(rewrite)
                if location is not None and any(_may_match(rewrite.values[1], other.values[0]) for other in rewrites):
                    yield from self._check_rewrite(config, rewrite, location)

    def _check_rewrite(self, config: Config, rewrite: Directive, location: Location) -> Iterator[Diagnostic]:
        for uri in paths_of(rewrite.values[0], "/" if location.is_regex else location.pattern):
            request = example_request(location.server, uri)
            request.complete = True
            answer = config.router.route(request)
            rounds = sum(step.directive is rewrite for step in answer.steps)
            if answer.status == 500 and answer.certain and rounds > 4:
                fixes: tuple[Fix, ...] = ()
                if rewrite.values[2:] == ("last",):
                    fixes = (Fix("write break", (replace(rewrite.args[2].span, "break"),), safe=False),)
                yield self.report(
                    rewrite,
                    f"{uri} gets 500: the new URI comes back to this rewrite, ten times over",
                    *fixes,
                    help="write break, so that the request stays in this location, or a pattern the new URI does not match",
                    nginx_message="rewrite or internal redirection cycle",
                )
                return


def _searches_again(rewrite: Directive) -> bool:
    redirects = rewrite.values[1].startswith(("http://", "https://", "$scheme"))
    return not redirects and rewrite.values[2:] in ((), ("last",))


def _may_match(replacement: str, pattern: str) -> bool:
    """May a pattern match what a replacement makes? Compared as far as both are literal at the beginning."""
    head = replacement.partition("$")[0].partition("?")[0]
    starts = [shape.runs[0] if shape.start else "" for shape in shapes(pattern) or ()]
    return any(start.startswith(head) or head.startswith(start) for start in starts)
