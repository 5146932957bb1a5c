from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, note, shapes

_ENDING_FLAGS = ("last", "break", "redirect", "permanent")
_STATEMENTS = ("set", "if", "rewrite", "return")  # a dead break is no loss


class DeadRewriteCode(Rule):
    """A `set`, `if`, `rewrite` or `return` behind one that always ends the run never takes place.

    nginx runs these directives in the order they stand in. An unconditional `return` answers; `break`, and a `rewrite`
    of every path with `last`, `break`, `redirect` or `permanent`, end the run of this block. What follows is skipped:
    a variable stays empty, a condition is never tested. Other directives (`proxy_pass`, `add_header`) are
    not part of that run and may stand anywhere. Move it above, or take it out.
    Source: documentation of ngx_http_rewrite_module.
    """

    id = "dead-rewrite-code"
    group = "correctness"
    directives = ("return", "break", "rewrite")
    examples = (
        Bad("location / {\n return 301 https://$target;\n set $target a.test; # here\n}"),
        Bad("location / {\n rewrite ^(.*)$ /new$1 break;\n set $b app; # here\n proxy_pass http://$b;\n}"),
        Bad("location / {\n break;\n if ($arg_a) { return 403; } # here\n}"),
        Bad("server {\n if ($host = a) {\n return 301 /;\n rewrite ^ /a last; # here\n }\n}"),
        Good("location / { set $target a.test; return 301 https://$target; }"),
        Good("location / { if ($arg_a) { return 403; } return 301 /x; }"),
        Good("location / { rewrite ^/old/(.*)$ /new/$1 break; set $b app; proxy_pass http://$b; }"),
        Good("location / { if ($arg_a) { return 444; break; } }"),
        Good("location / { rewrite ^ /new; set $b app; }"),
        Good("server { return 301 /x; location / { set $b app; return 200 $b; } }"),
        Good("location / { rewrite ^ $uri break; proxy_pass http://app; add_header X-A b; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for ending in config.find(*self.directives):
            block = ending.parent
            if block is None or block.body[-1] is ending or not _always_ends(ending):
                continue
            dead = _first_statement_behind(ending, block)
            if dead is not None:
                how = "answers the request" if ending.name == "return" else "ends the rewriting here"
                yield self.report(
                    dead,
                    f"this {dead.name} never runs: the {ending.name} above it always {how}",
                    related=(note(ending, "nothing of this kind runs behind it"),),
                    help=f"move it above the {ending.name}, or take it out",
                )


def _always_ends(directive: Directive) -> bool:
    if directive.name != "rewrite":
        return True
    values = directive.values
    if len(values) < 3 or values[2] not in _ENDING_FLAGS:
        return len(values) == 2 and values[1].startswith(("http://", "https://", "$scheme")) and _matches_all(values[0])
    return _matches_all(values[0])


def _matches_all(pattern: str) -> bool:
    """Does it match every path? (Each begins with a slash.)"""
    return any(
        shape.exact and shape.runs in (("",), ("/",)) and not (shape.end and (shape.start or shape.runs[0]))
        for shape in shapes(pattern) or ()
    )


def _first_statement_behind(ending: Directive, block: Block) -> Directive | None:
    """The first statement behind it; none where an earlier ending is to blame, and in blocks that run no statements."""
    if block.name not in ("server", "location", "if"):
        return None
    behind = False
    for child in block.body:
        if child is ending:
            behind = True
        elif behind and child.name in _STATEMENTS:
            return child
        elif not behind and child.name in ("return", "break", "rewrite") and _always_ends(child):
            return None
    return None
