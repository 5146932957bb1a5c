import os
import stat

from nginxlint import (
    PASSES,
    Bad,
    Config,
    Diagnostic,
    Directive,
    Endpoint,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    endpoints,
    failure,
    note,
    refused_for,
)


class ProxyUnixSocketMissing(Rule):
    """A pass leads to a unix socket that is not there, that is none, or that the workers of nginx may not open.

    Every request gets 502, with "No such file or directory", "Connection refused" or "Permission denied" in the log. Start
    the application, correct the path, or let the worker user (`user` in nginx.conf) write to the socket and enter its
    folders. Only looked for where the configuration is that of this machine (`--check-files`); rights are judged when
    nginxlint runs as root. A missing one is a warning: the application may only be stopped.
    Source: ngx_event_connect_peer (src/event/ngx_event_connect.c), unix(7).
    """

    id = "proxy-unix-socket-missing"
    group = "proxy"
    severity = Severity.ERROR
    directives = PASSES
    judges = "locate"
    examples = (
        Bad("location / { proxy_pass http://unix:/nonexistent/app.sock; } # here", live=True),
        Bad("upstream app { server unix:/dev/null; }\nserver { location / { fastcgi_pass app; } } # here", live=True),
        Good("location / { proxy_pass http://127.0.0.1:8080; }", live=True),
        Good("location / { proxy_pass http://unix:/nonexistent/app.sock; } # the configuration of another machine"),
        Good(
            "server { listen unix:/run/own.sock; }\nserver { location / { proxy_pass http://unix:/run/own.sock; } }",
            live=True,
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.locate is None:
            return
        judged: dict[str, tuple[str, str, Severity] | None] = {}
        for target in config.passes(*PASSES):
            for end in endpoints(config, target):
                path = end.unix
                if path is None or not path.startswith("/") or config.listeners.behind(end):
                    continue  # one of our own appears when nginx starts
                if path not in judged:
                    judged[path] = _fault(config.locate(path), config.worker_user)
                fault = judged[path]
                if fault is not None:
                    yield self._finding(target.directive, end, fault)
                    break

    def _finding(self, target: Directive, end: Endpoint, fault: tuple[str, str, Severity]) -> Diagnostic:
        what, said, severity = fault
        return self.report(
            target.args[0],
            f"{failure(Pass(target).kind)} here: {end.unix}: {what}",
            severity=severity,
            related=() if end.directive is target else (note(end.directive, "the socket"),),
            help="start what listens there, or correct the path"
            if severity is Severity.WARNING
            else "let the application make its socket there, and let the worker user write to it",
            nginx_message=f"connect() to unix:{end.unix} failed ({said})",
        )


def _fault(path: str, user: str) -> tuple[str, str, Severity] | None:
    """What is wrong with a socket, what nginx says of it, and how bad that is; None where nothing is known."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "there is no such socket now", "2: No such file or directory", Severity.WARNING
    except OSError:
        return None
    if not stat.S_ISSOCK(mode):
        return "this is no socket", "111: Connection refused", Severity.ERROR
    reason = refused_for(user, path)
    return (reason, "13: Permission denied", Severity.ERROR) if reason else None
