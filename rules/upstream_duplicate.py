from collections.abc import Iterator

from nginxlint import Bad, Block, Config, Diagnostic, Good, Rule, Severity, note


class UpstreamDuplicate(Rule):
    """Two upstream groups of one name: nginx refuses the configuration.

    Names are compared without regard to case, over all included files. Typical cause: a copied site file.
    Source: ngx_http_upstream_add (src/http/ngx_http_upstream.c).
    """

    id = "upstream-duplicate"
    group = "upstream"
    severity = Severity.ERROR
    directives = ("upstream",)
    examples = (
        Bad("upstream app { server a:1; }\nupstream APP { server b:1; } # here"),
        Good("upstream app { server a:1; }\nupstream app2 { server b:1; }"),
        Good("stream { upstream app { server a:1; } }\nhttp { upstream app { server a:1; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        first: dict[tuple[str, str], Block] = {}
        for block in config.blocks("upstream"):
            if not block.values:
                continue
            name = block.values[0]
            kind = "stream" if block.enclosing("stream") else "http"
            other = first.setdefault((kind, name.lower()), block)
            if other is not block:
                yield self.report(
                    block.args[0],
                    f'a second upstream group called "{name}"',
                    label="refused: names are compared without regard to case",
                    related=(note(other.args[0], "the first one"),),
                    help="rename one of them, or put the servers into one group",
                    blocks_start=True,
                    nginx_message=f'duplicate upstream "{name}"',
                )
