from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, replace


class ErrorLogOff(Rule):
    """`error_log off` does not turn the log off: nginx writes a file that is called `off`.

    Only `access_log` knows `off`. The errors go to a file of that name in the folder nginx was configured with
    (often /etc/nginx or /usr/share/nginx), which nobody looks at and nothing rotates. To get rid of the log write
    `error_log /dev/null crit`; better keep it, for nginx says nowhere else why it answered 502.
    Source: ngx_log_set_log (src/core/ngx_log.c); documentation of error_log.
    """

    id = "error-log-off"
    group = "correctness"
    severity = Severity.INFO
    directives = ("error_log",)
    texts = ("\0off\0",)
    examples = (
        Bad("error_log off; # here", "error_log /dev/null crit; # here"),
        Bad("location / {\n error_log off crit; # here\n}", "location / {\n error_log /dev/null crit; # here\n}"),
        Bad("stream {\n error_log 'off' info; # here\n}", "stream {\n error_log /dev/null info; # here\n}"),
        Good("error_log /dev/null crit; access_log off;"),
        Good("error_log /var/log/nginx/off; error_log stderr;"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for log in config.saying(lambda values: values[:1] == ("off",), "error_log"):
            level = "" if len(log.values) > 1 else " crit"
            yield self.report(
                log.args[0],
                'errors are written to a file called "off": error_log cannot be turned off',
                Fix("send them nowhere", (replace(log.args[0].span, f"/dev/null{level}"),), safe=False),
                help="leave the line out, or write error_log /dev/null crit",
            )
