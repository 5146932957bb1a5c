from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, tls_servers, weak_suites

_SAID = {
    "eNULL": "no encryption",
    "aNULL": "no proof who answers",
    "EXPORT": "export keys",
    "DES": "DES",
    "RC4": "RC4",
    "3DES": "3DES",
    "MD5": "MD5",
}
_SHOWN = 3


class TlsWeakCipher(Rule):
    """A cipher list names suites without encryption or proof, export keys, RC4, DES, 3DES or MD5, and keeps them in.

    A connection that uses one can be read or answered by somebody between (RFC 7465, FREAK, SWEET32). Whether visitors get
    one hangs on the OpenSSL nginx runs with: version 3 as distributions build it knows few of them any more, and leaves those
    without encryption or proof out until `@SECLEVEL=0` stands in the list. Take the words out, or keep the suites from
    coming back with `!` and the word at any place: `!aNULL:!eNULL:!EXPORT:!DES:!RC4:!3DES:!MD5`. Not reported: what only
    `ALL` or `MEDIUM` would bring along, a list no TLS server uses, and one beside `ssl_protocols TLSv1.3`.
    Source: ciphers(1), "CIPHER LIST FORMAT".
    """

    id = "tls-weak-cipher"
    group = "tls"
    directives = ("ssl_ciphers",)
    texts = ("null", "adh", "aecdh", "exp", "des", "rc4", "md5", "low")
    examples = (
        Bad("ssl_ciphers AES128-SHA:RC4-SHA:DES-CBC3-SHA; # here\nserver { listen 443 ssl; }"),
        Bad("server { listen 443 ssl; ssl_ciphers 'HIGH:RC4+RSA:!aNULL'; } # here"),
        Bad("server { listen 443 ssl; ssl_ciphers ALL:aNULL@SECLEVEL=0; } # here"),
        Good("server { listen 443 ssl; ssl_ciphers HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!3DES:!MD5; }"),
        Good("server { listen 443 ssl; ssl_ciphers ECDHE-RSA-DES-CBC3-SHA:ECDHE-RSA-AES128-GCM-SHA256:!3DES; }"),
        Good("server { listen 443 ssl; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256; }"),
        Good("server { listen 443 ssl; ssl_protocols TLSv1.3; ssl_ciphers RC4-SHA; }"),
        Good("events {} http { server { listen 80; ssl_ciphers RC4-SHA; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        judged: dict[str, str] = {}
        used = None
        for line in config.saying(lambda values: len(values) == 1, "ssl_ciphers"):
            text = line.values[0]
            if text not in judged:
                judged[text] = _told(weak_suites(text))
            if not judged[text]:
                continue
            if used is None:
                used = {
                    setting
                    for block, _ in tls_servers(config)
                    for setting in config.scope(block).effective("ssl_ciphers")
                    if not _only_newest(config, block)
                }
            if line in used or (config.partial and not _only_newest(config, line)):
                yield self.report(
                    line,
                    f"the list names ciphers that somebody between can break: {judged[text]}",
                    help="take them out, or shut them out with !aNULL:!eNULL:!EXPORT:!DES:!RC4:!3DES:!MD5",
                )


def _told(weak: dict[str, list[str]]) -> str:
    said = []
    for weakness, names in weak.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        said.append(f"{_SAID[weakness]} ({', '.join(names[:_SHOWN])}{more})")
    return "; ".join(said)


def _only_newest(config: Config, place: Directive) -> bool:
    """Is TLS 1.3 alone spoken there? It has suites of its own, which the list does not touch."""
    lines = config.scope(place).effective("ssl_protocols")
    return bool(lines) and all(line.values == ("TLSv1.3",) for line in lines)
