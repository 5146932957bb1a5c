from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity


class RedirectToSelf(Rule):
    """A redirect leads back to itself: browsers give up with "too many redirects".

    The address in `return 301` (or a redirecting `rewrite`) selects the same server and location again, or another one
    that redirects back. Typical: `return 301 https://$host$request_uri` in a server that also listens on 443, or
    a redirect to www in a server that has the www name itself. Give the redirect a server of its own.
    Reported where the simulator follows a request round and round and nothing unknown (a header, a file) decides.
    Source: documentation of ngx_http_rewrite_module.
    """

    id = "redirect-to-self"
    group = "correctness"
    severity = Severity.ERROR
    confidence = Confidence.MEDIUM
    directives = ("return", "rewrite")
    judges = "redirect_circles"
    examples = (
        Bad("server { listen 80; listen 443 ssl; server_name a.test; return 301 https://$host$request_uri; } # here"),
        Bad("server { listen 80; server_name a.test www.a.test; return 301 http://www.a.test$request_uri; } # here"),
        Bad("server { server_name a.test b.test; if ($host = b.test) { return 302 http://$host/b; } } # here"),
        Bad("server { server_name a.test; location /login { return 302 /login/; } } # here"),
        Bad("server { server_name a.test; location /a { rewrite ^/a(.*)$ http://a.test/a/x$1 permanent; } } # here"),
        Bad(
            "server { listen 80; server_name a.test; return 301 https://a.test$request_uri; } # here\n"
            "server { listen 443 ssl; server_name a.test; return 301 http://a.test$request_uri; } # here"
        ),
        Good("server { listen 80; server_name a.test; return 301 https://$host$request_uri; }"),
        Good("server { listen 80; listen 443 ssl; if ($scheme = http) { return 301 https://$host$request_uri; } }"),
        Good(
            "server { listen 80; listen 443 ssl; if ($http_x_proto = http) { return 301 https://$host$request_uri; } }"
        ),
        Good("server { listen 443 ssl; if ($http_x_proto != https) { return 301 https://$host$request_uri; } }"),
        Good(
            "server { server_name a.test; return 301 http://www.a.test$request_uri; } server { server_name www.a.test; }"
        ),
        Good(
            "server { server_name a.test www.a.test; if ($host = a.test) { return 301 http://www.a.test$request_uri; } }"
        ),
        Good("server { listen 80 default_server; return 301 http://a.test$request_uri; }"),
        Good("server { location = / { return 302 /login; } location /login { root /srv; } }"),
        Good("server { location /a { return 302 /b?next=$uri; } location /b { root /srv; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for redirect, url in config.redirect_circles:
            yield self.report(
                redirect.word,
                f"{url} is redirected round and round: browsers say too many redirects",
                label="leads back here",
                help="redirect from a server or location of its own, to an address that this one does not answer",
            )
