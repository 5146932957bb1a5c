from nginxlint import Bad, Block, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, delete, note


class UpstreamDuplicate(Rule):
    """Two upstream groups have the same name, so nginx refuses to start.

    Names of groups hold for the whole of `http` (and, apart from it, of `stream`), across all included files, and case
    does not count. Often a file was copied in conf.d, or is included twice. Rename one group, or put its servers into
    the other; a copy that says the same can go.
    Source: ngx_http_upstream_add (src/http/ngx_http_upstream.c).
    """

    id = "upstream-duplicate"
    group = "upstream"
    severity = Severity.ERROR
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream app { server a:81; }\nupstream App { server a:81; } # here\nserver { listen 80; }",
            "upstream app { server a:81; }\n # here\nserver { listen 80; }",
        ),
        Bad("upstream app { server a:81; }\nupstream app { server b:81; } # here\n"),
        Good("upstream app { server a:81; }\nupstream app2 { server a:81; }"),
        Good("http { upstream app { server a:81; } }\nstream { upstream app { server a:81; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        blocks = [block for block in config.blocks("upstream") if block.values]
        if len(blocks) <= len(config.upstreams):
            return
        first: dict[tuple[str, str], Block] = {}
        for block in blocks:
            name = block.values[0]
            kind = "stream" if block.enclosing("stream") else "http"
            other = first.setdefault((kind, name.lower()), block)
            if other is block:
                continue
            twice = (other.source.path, other.start) == (block.source.path, block.start)
            fixes: tuple[Fix, ...] = ()
            if not twice and _content(block) == _content(other):
                fixes = (Fix("delete the copy", (delete(block),), safe=True),)
            yield self.report(
                block,
                f'nginx does not start: there are two upstream groups called "{name}"',
                *fixes,
                label="its file is included twice" if twice else "",
                related=(note(other, "the first one"),),
                help="include the file once" if twice else "rename one, or put its servers into the other",
                blocks_start=True,
                nginx_message=f'duplicate upstream "{name}"',
            )


def _content(block: Block) -> list[tuple[str, ...]]:
    return [(directive.name, *directive.values) for directive in block.body]
