from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, tls_servers

_READ = "ssl_client_"
# Where a result changes nothing for the visitor.
_LOGS = ("log_format", "access_log", "error_log")
# Programs that may read it without a variable in the configuration.
_PROGRAMS = ("lua", "js_", "perl", "passenger")


class TlsClientAuthUnenforced(Rule):
    """Client certificates are asked for, and what comes of it is never used: everybody passes.

    With `ssl_verify_client optional` a client without a certificate is served like one with; with `optional_no_ca` any
    certificate will do, also one the client made itself. nginx only fills `$ssl_client_verify` (SUCCESS, FAILED, NONE): refuse
    by it (`if ($ssl_client_verify != SUCCESS) { return 403; }`), hand it to the backend with `proxy_set_header`, or write
    `ssl_verify_client on`. A log alone refuses nobody.
    Source: ngx_http_process_request (src/http/ngx_http_request.c), documentation of ssl_verify_client.
    """

    id = "tls-client-auth-unenforced"
    group = "security"
    directives = ("ssl_verify_client",)
    texts = ("\0optional\0", "\0optional_no_ca\0")
    examples = (
        Bad(
            "events {} http {\n ssl_verify_client optional; # here\n ssl_client_certificate ca.pem;\n"
            " server { listen 443 ssl; location / { proxy_pass http://app; } }\n}"
        ),
        Bad(
            "events {} http { log_format a '$ssl_client_s_dn';\n server { listen 443 ssl; access_log /a a;\n"
            " ssl_verify_client optional_no_ca; # here\n root /srv; } }"
        ),
        Good(
            "events {} http { ssl_verify_client optional; server { listen 443 ssl; "
            "if ($ssl_client_verify != SUCCESS) { return 403; } } }"
        ),
        Good(
            "events {} http { server { listen 443 ssl; ssl_verify_client optional; "
            "location / { proxy_pass http://app; proxy_set_header X-Cert $ssl_client_escaped_cert; } } }"
        ),
        Good("events {} http { server { listen 443 ssl; ssl_verify_client optional; include auth.conf; } }"),
        Good("events {} http { server { listen 443 ssl; ssl_verify_client on; ssl_client_certificate ca.pem; } }"),
        Good("events {} http { server { listen 80; ssl_verify_client optional; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial or any(program in name for name in config.names for program in _PROGRAMS):
            return
        if any(_READ in config.said(name) for name in config.names if name not in _LOGS):
            return
        told = set()
        for block, _ in tls_servers(config):
            line = config.scope(block).directive("ssl_verify_client")
            if line is None or line in told or line.values[:1] not in (("optional",), ("optional_no_ca",)):
                continue
            told.add(line)
            who = (
                "a client without a certificate"
                if line.values == ("optional",)
                else "a client with any certificate or none"
            )
            yield self.report(
                line,
                f"{who} is served like all others: nothing reads $ssl_client_verify",
                help="write if ($ssl_client_verify != SUCCESS) { return 403; } where nobody else may come, "
                "hand it to the backend, or write ssl_verify_client on",
            )
