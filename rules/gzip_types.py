from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    delete_word,
    insert_line_after,
)

_LISTS = ("gzip_types", "brotli_types", "zstd_types")
_USUAL = "gzip_types text/css text/plain text/javascript application/javascript application/json application/xml image/svg+xml;"
_COMPRESSED = frozenset(
    "image/jpeg image/jpg image/png image/gif image/webp image/avif font/woff font/woff2 application/font-woff "
    "application/font-woff2 application/x-font-woff application/zip application/gzip application/x-gzip application/zstd "
    "application/x-7z-compressed application/x-bzip2 application/x-rar-compressed application/vnd.rar application/x-xz "
    "audio/mpeg audio/ogg audio/mp4 audio/aac audio/webm video/mp4 video/mpeg video/ogg video/webm video/quicktime "
    "video/3gpp video/x-matroska".split()
)


class GzipTypes(Rule):
    """`gzip` is on for HTML only, or for files that are compressed already.

    Without `gzip_types` nginx compresses answers of the type text/html and nothing else: style sheets, scripts and JSON
    go out in full length. Name them. Pictures, films, archives and woff fonts hold compressed data: to compress them
    again takes time for every request, makes none of them shorter, and no client can ask for a part of them. Leave
    them out. (text/html itself need not be named: `nginxlint explain value-duplicate`.)
    Source: documentation of gzip_types; ngx_http_gzip_header_filter, which clears Accept-Ranges.
    """

    id = "gzip-types"
    group = "performance"
    severity = Severity.INFO
    directives = ("gzip", "gzip_types")
    examples = (
        Bad(
            "gzip on; # here\nserver { root /srv; }",
            f"gzip on;\n{_USUAL} # here\nserver {{ root /srv; }}",
        ),
        Bad(
            "gzip on;\ngzip_types text/css image/jpeg image/png; # here\nserver { root /srv; }",
            "gzip on;\ngzip_types text/css; # here\nserver { root /srv; }",
        ),
        Bad("server { gzip_types font/woff2; } # here"),
        Good("gzip on; gzip_types text/css application/json font/ttf image/svg+xml image/x-icon;"),
        Good("gzip off; server { root /srv; }"),
        Good("gzip on; server { gzip_types *; }"),
        Good("gzip on; brotli on; brotli_types text/css;"),
        Good("gzip on; include sites/*.conf;"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for line in config.find("gzip_types"):
            if not _COMPRESSED.isdisjoint(value.lower() for value in line.values):
                yield self._packed(line)
        switched = next((line for line in config.find("gzip") if line.values[:1] == ("on",)), None)
        if switched is None or config.partial or config.gaps or any(name in config.names for name in _LISTS):
            return
        yield self.report(
            switched,
            "only text/html is compressed: no style sheet, script or JSON",
            Fix("name the usual types", (insert_line_after(switched, _USUAL),), safe=False),
            help="write for example " + _USUAL,
        )

    def _packed(self, line: Directive) -> Diagnostic:
        words = [word for word in line.args if word.text.lower() in _COMPRESSED]
        names = ", ".join(word.text for word in words)
        return self.report(
            words[0],
            f"{names} {'is' if len(words) == 1 else 'are'} compressed already: gzip takes time and saves nothing",
            Fix("leave them out", tuple(map(delete_word, words)), safe=True) if len(words) < len(line.values) else None,
            help="leave out what holds compressed data",
        )
