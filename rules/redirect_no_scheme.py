from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, replace


class RedirectNoScheme(Rule):
    """A redirect leads to a host without `http://` or `https://` before it: browsers take the host for a folder.

    nginx sends the address as it is written (only one that begins with `/` is completed), so `return 301 example.com/x`
    in /shop/ sends the visitor to /shop/example.com/x of the same site, often round and round. Write
    `https://example.com/x`, or `$scheme://$host$request_uri`.
    Source: ngx_http_send_response, ngx_http_script_regex_end_code, ngx_http_header_filter; RFC 3986, 5.2.
    """

    id = "redirect-no-scheme"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("return", "rewrite")
    judges = "schemeless_redirects"
    examples = (
        Bad(
            "location / { return 301 $host$request_uri; } # here",
            "location / { return 301 $scheme://$host$request_uri; } # here",
        ),
        Bad(
            "location / { return 302 www.example.com/x; } # here",
            "location / { return 302 $scheme://www.example.com/x; } # here",
        ),
        Bad(
            "location / { rewrite ^/old/(.*)$ example.org/$1 permanent; } # here",
            "location / { rewrite ^/old/(.*)$ $scheme://example.org/$1 permanent; } # here",
        ),
        Bad(
            "server { server_name shop.lan; return 301 shop.lan:8080; } # here",
            "server { server_name shop.lan; return 301 $scheme://shop.lan:8080; } # here",
        ),
        Bad(
            "location / { return 301 https//example.net; } # here",
            "location / { return 301 https://example.net; } # here",
        ),
        Bad(
            "location / { return 301 www.$host$request_uri; } # here",
            "location / { return 301 $scheme://www.$host$request_uri; } # here",
        ),
        Good("location / { return 301 https://$host$request_uri; } location /a { return 301 //example.com/x; }"),
        Good(
            "location / { return 302 /example.com/; } location /a { return 302 login.php; } location /b { return 302 a.html; }"
        ),
        Good(
            "location / { return 302 $to; } location /b { return 302 $1; } location /c { rewrite ^ $host_page redirect; }"
        ),
        Good("location / { return 302 ?page=example.com; } location /b { return 200 example.com; }"),
        Good("location / { rewrite ^/a example.com/x last; return 302 index.fr; }"),
        Good("stream { server { listen 1; return example.com; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for redirect, meant in config.schemeless_redirects:
            quote = redirect.word.quote
            yield self.report(
                redirect.word,
                f'visitors are sent to a path on this site: the address "{redirect.text}" has no scheme',
                Fix(f"write {meant}", (replace(redirect.word.span, f"{quote}{meant}{quote}"),), safe=False),
                label="taken for a path below the page the visitor is on",
                help=f"write {meant}",
            )
