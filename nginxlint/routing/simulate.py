"""The route simulator: one request through the phases of nginx, from the socket to the content handler."""

from __future__ import annotations

from nginxlint.catalogue.numbers import number_or
from nginxlint.regex import RegexLimit
from nginxlint.routing.access import denied
from nginxlint.routing.answer import Answer
from nginxlint.routing.escaping import escape_uri
from nginxlint.routing.evaluate import aliased, expand, file_path, root_directive, tried_file
from nginxlint.routing.handlers import pass_on
from nginxlint.routing.match import PASSES, Socket
from nginxlint.routing.realip import replace_client
from nginxlint.routing.replies import accel_target, redirect_of
from nginxlint.routing.request import (
    BadRequest,
    Lines,
    Request,
    Target,
    unsafe_uri,
    valid_headers,
    valid_host,
)
from nginxlint.routing.rewrite import Ending, run_rewrites
from nginxlint.routing.servers import Location, Server
from nginxlint.routing.visit import TooManyQuestions, Unsure, Visit
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.routing.router import Router

MAX_ROUNDS = 64
_CONDITIONS = frozenset(("range", "if-modified-since", "if-unmodified-since", "if-none-match", "if-match"))
# From this version on hosts and ports are read by RFC 3986 (CHANGES; ngx_http_validate_host).
_HOST_BY_RFC = (1, 29, 4)
# Headers that nginx refuses a second line of (ngx_http_process_unique_header_line, ngx_http_process_host).
_SENT_ONCE = frozenset(
    ("host", "content-length", "content-range", "transfer-encoding", "authorization", "expect", "if-range")
    + ("if-modified-since", "if-unmodified-since", "if-none-match", "if-match")
)
# 1.30.6 was seen to read the target of CONNECT as an authority, and Proxy-Authorization once; 1.26.3 was not. CHANGES
# name no version for it.
_READS_CONNECT = ((1, 27, 0), (1, 30, 6))
# nginx closes the connection instead of answering with one of these, whatever error_page says (ngx_http_finalize_request).
_CLOSING = (408, 444, 499)
_REDIRECTS = (301, 302, 303, 307, 308)
# Statuses nginx uses inside and what the client sees (ngx_http_special_response.c).
_SEEN_AS = {494: 400, 495: 400, 496: 400, 497: 400}


class Run:
    """One request with one set of assumptions."""

    def __init__(
        self, router: Router, socket: Socket, request: Request, decisions: tuple[bool, ...], parent: Visit | None = None
    ) -> None:
        self.router = router
        self.config = router.config
        self.socket = socket
        self.request = request
        self.visit = Visit(request, decisions, parent)
        self.visit.look = router.look
        self.redirect_to: str | None = None
        self._base = socket.default  # the server whose settings hold before Host is read
        self._negotiated: str | None = None  # the name of the TLS handshake, where a server has it
        self._posted: list[Answer] = []  # of mirrored requests that have not run
        self._refused = self._terminated = False
        self.answer = Answer()
        self.answer.listen = socket.text

    def go(self, start: Callable[[], None] | None = None) -> Answer:
        """Run to the end, from the socket or from `start`."""
        visit, answer = self.visit, self.answer
        self._attempt(start or self._start)
        if not visit.is_subrequest:
            self._post_action(answer)
        self._run_posted()
        answer.steps = visit.steps
        answer.doubts = [*answer.doubts, *visit.doubts]
        answer.notes = visit.notes
        return answer

    def _attempt(self, start: Callable[..., None], *arguments: str) -> None:
        visit = self.visit
        try:
            start(*arguments)
        except RegexLimit as limit:
            visit.say(f"nginx gives up on a pattern: {limit}: 500")
            visit.doubt("nginx's own limit of steps may be another one")
            self._finish("error", 500)
        except TooManyQuestions:
            visit.doubt("the outcome hangs on too many unknowns")
            self._terminated = True
        self.answer.server = visit.server
        self.answer.location = visit.location
        self.answer.block = visit.block

    def _post_action(self, answer: Answer) -> None:
        """The request goes on inside behind its answer; nobody receives what that comes to (ngx_http_post_action)."""
        visit = self.visit
        while visit.block is not None and not self._terminated:
            place = self.config.scope(visit.block).directive("post_action")
            if place is None or not place.values or (self.answer is not answer and not visit.changes_left):
                break
            self.answer, self.redirect_to = Answer(), None
            visit.changes_left = visit.changes_left or 16  # four bits, and none is left below 0
            target = place.values[0]
            visit.say(f"post_action {target}", place)
            if self._refused or (answer.action == "static" and answer.status is None):
                visit.doubt("what the request is by then")
            if target.startswith("/"):
                self._attempt(self._internal, target, "")
            else:
                self._attempt(self._named, target)
            answer.subrequests.append(("post_action", self.answer))
        self.answer = answer

    def end_in(self, server: Server, block: Block, status: int) -> Answer:
        """Start where the handler of a block has ended with a status."""
        visit, answer = self.visit, self.answer
        self._stand_in(server, block)
        try:
            self._status(status)
        except (RegexLimit, TooManyQuestions):
            answer.certain = False
            self._finish("unknown", None)
        if answer.action == "static" and answer.status is None:
            answer.status = visit.error_status or 200
            answer.certain = False
        answer.certain = answer.certain and not visit.doubts and not visit.asked
        answer.location = visit.location
        return answer

    def ask_in(self, server: Server, block: Block, uri: str) -> Answer:
        """The answer to the subrequest of an `auth_request` in this block."""
        self._stand_in(server, block)
        answer = self._subrequest("auth_request", uri, block)
        answer.certain = answer.certain and not answer.doubts and not self.visit.asked
        return answer

    def _stand_in(self, server: Server, block: Block) -> None:
        visit = self.visit
        visit.server, visit.block, visit.location = server, block, self.config.location(block)
        target = visit.target = Target(self.request.target, True)
        visit.uri, visit.args, visit.host = target.uri, target.args, self.request.host

    # --- from the socket to the server ----------------------------------------------------------------------------

    def _start(self) -> None:
        visit, request, socket = self.visit, self.request, self.socket
        if request.scheme == "https" and socket.ssl and request.sni:
            self._handshake(request.sni)
        visit.server, visit.block = self._base, self._base.block
        scope = self.config.scope(visit.block)
        merge = scope.on("merge_slashes", True)
        visit.headers, visit.uri = {}, ""  # what nginx has of a request whose first line it refuses
        visit.valid_location = False  # until the phases begin (ngx_http_handler)
        try:
            if not request.method or not all(c.isupper() or c in "_-" for c in request.method):
                raise BadRequest(f'"{request.method}" is no method')
            connect = request.method == "CONNECT" and self._reads_connect()
            target = visit.target = Target(request.target, merge, connect=connect)
            visit.pristine = target.pristine
            visit.uri, visit.args = target.uri, target.args
            if target.authority is not None and not self._choose_server(self._valid_host(target.authority)):
                return
            visit.headers = valid_headers(
                request.headers,
                underscores=scope.on("underscores_in_headers"),
                invalid=not scope.on("ignore_invalid_headers", True),
            )
            if not self._read_headers(named=target.authority is not None):
                return
            if not request.host and request.version != "1.0":
                raise BadRequest("HTTP/1.1 without a Host header")
        except BadRequest as bad:
            visit.say(f"400: {bad}", visit.block)
            self._refused = True
            self._status(400)
            return
        if request.scheme == "https" and not socket.ssl:
            visit.say("this socket does not speak TLS: the handshake fails")
            self._finish("error", None)
            self._terminated = True
        elif request.method in ("TRACE", "CONNECT"):
            visit.say(f"{request.method} is not allowed")
            if request.method == "CONNECT" and any(self.config.find("tunnel_pass")):
                visit.doubt("what tunnel_pass makes of CONNECT")
            self._status(405)
        elif request.scheme == "http" and socket.ssl:
            visit.say("plain HTTP on a TLS socket: 400 (error_page calls it 497)")
            self._status(497)
        elif socket.ssl and not self._client_certificate():
            self._status(496)
        else:
            visit.valid_location = True
            replace_client(self.config, visit, socket)
            self._server_phase()

    def _handshake(self, sni: str) -> None:
        """The server that the TLS handshake names: its settings hold until Host is read (ngx_http_ssl_servername)."""
        try:
            name = self._valid_host(sni)
        except BadRequest:
            return
        found = self.socket.named(name) if self.socket.keeps_names else None
        if found is not None:
            self._base, self._negotiated = found[0], name
            self.visit.say(f"TLS handshake: {found[1]}", found[0].block)

    def _read_headers(self, *, named: bool) -> bool:
        """One after the other (ngx_http_process_request_headers): Host chooses the server, unless the request line has
        `named` it. Behind one that is refused nginx reads none. False: 421."""
        visit, sent = self.visit, self.visit.headers
        visit.headers = {}
        for name, value in sent.items():
            visit.headers[name] = value
            if name == "host":
                host = self._valid_host(self.request.host)
                if not named and not self._choose_server(host):
                    return False
            once = name in _SENT_ONCE or (name == "proxy-authorization" and self._reads_connect())
            if isinstance(value, Lines) and once:
                raise BadRequest(f"the header {name} is sent more than once")
        return named or "host" in sent or self._choose_server("")

    def _reads_connect(self) -> bool:
        since, certainly = _READS_CONNECT
        if since <= self.config.version < certainly:
            self.visit.doubt("whether this version knows CONNECT and Proxy-Authorization")
        return self.config.version >= certainly

    def _valid_host(self, text: str) -> str:
        return valid_host(text, strict=self.config.version >= _HOST_BY_RFC)

    def _client_certificate(self) -> bool:
        """May the request go on, as far as `ssl_verify_client` is concerned?"""
        place = self.config.scope(self.visit.server.block).directive("ssl_verify_client") if self.visit.server else None
        if place is None or place.values != ("on",):
            return True
        return self.visit.ask("whether the client shows a certificate that is accepted", place, True)

    def _choose_server(self, host: str) -> bool:
        """ngx_http_set_virtual_server; False where the answer is 421."""
        visit, socket = self.visit, self.socket
        server, how, match = socket.find(host)
        visit.say(f"listen {socket.text}: {how}", server.block)
        if match is not None:
            self._remember_name(server, how, match)
        verified = self.config.scope(server.block).value("ssl_verify_client", "off")
        if self._negotiated is not None and host != self._negotiated and verified != "off":
            visit.say("the handshake named another server, and this one verifies clients: 421", server.block)
            self._status(421)
            return False
        visit.server, visit.block, visit.host = server, server.block, host
        return True

    def _remember_name(self, server: Server, how: str, match: object) -> None:
        from nginxlint.regex import Regex, RegexMatch, compile_regex

        assert isinstance(match, RegexMatch)
        for word in server.names:
            if word.text.startswith("~") and f'"{word.text}"' in how:
                regex = compile_regex(word.text[1:], caseless=True)
                assert isinstance(regex, Regex)
                self.visit.remember(regex, match)
                return

    # --- server rewrites, location search, location rewrites ------------------------------------------------------

    def _server_phase(self) -> None:
        visit = self.visit
        assert visit.server is not None
        visit.enter(visit.server.block, None)
        ending = run_rewrites(self.config, visit, visit.server.block)
        if ending is not None:
            self._end(ending)
            return
        self._search()

    def _search(self) -> None:
        """find_config, rewrite and post_rewrite, until the URI stays."""
        visit = self.visit
        assert visit.server is not None
        for _ in range(MAX_ROUNDS):
            visit.uri_changed = False
            visit.enter(visit.server.block, None)
            found = self.router.locations(visit.server).find(visit.uri)
            for text, place in found.steps:
                visit.say(text, place.block if place is not None else None)
            for regex, match in found.captured:
                visit.remember(regex, match)
            if found.location is None:
                visit.say("no location matches: the server itself answers", visit.server.block)
            else:
                self._enter(found.location)
                hidden = found.location.internal
                if hidden is not None and not visit.internal:
                    visit.say("internal: 404 for requests from outside", hidden)
                    self._status(404)
                    return
            if found.redirect and found.location is not None:
                target = escape_uri(found.location.pattern) + (f"?{visit.args}" if visit.args else "")
                self._status(301, redirect_to=target)
                return
            if not self._location_rewrites():
                return
            if not visit.uri_changed:
                self._content()
                return
            visit.changes_left -= 1
            if visit.changes_left == 0:
                visit.say("rewritten more than ten times: 500 (rewrite or internal redirection cycle)")
                self._status(500)
                return

    def _enter(self, location: Location) -> None:
        """Take on a location's settings; those of its `limit_except` for the methods that does not name."""
        visit = self.visit
        visit.enter(location.block, location)
        for limited in location.block.blocks("limit_except"):
            allowed = {method.upper() for method in limited.values}
            if "GET" in allowed:
                allowed.add("HEAD")
            if visit.method not in allowed:
                visit.enter(limited, location)
                visit.say(f"limit_except: its settings hold for {visit.method}", limited)

    def _location_rewrites(self) -> bool:
        """Run the location's statements; False where the request ended."""
        visit = self.visit
        if visit.location is None or visit.block is None or visit.block.name == "limit_except":
            return True
        ending = run_rewrites(self.config, visit, visit.block)
        if ending is None:
            return True
        self._end(ending)
        return False

    # --- access, try_files, content -------------------------------------------------------------------------------

    def _content(self) -> None:
        visit = self.visit
        assert visit.block is not None
        replace_client(self.config, visit, self.socket)
        status = denied(self.config, visit, self._authorise)
        if status is not None:
            self._status(status)
            return
        scope = self.config.scope(visit.block)
        tried = visit.block.child("try_files")
        if tried is not None and not self._try_files(tried):
            return
        if not visit.is_subrequest:
            for mirror in scope.effective("mirror"):
                if mirror.values and mirror.values[0] != "off":
                    self._posted.append(self._subrequest("mirror", mirror.values[0], mirror))
        self._handle(visit.block)

    def _run_posted(self) -> bool:
        """Mirrored requests run when the main one waits or has its answer (ngx_http_run_posted_requests). False: one of
        them closes the connection, and with it all that is left."""
        posted, self._posted = self._posted, []
        for answer in posted:
            self.answer.subrequests.append(("mirror", answer))
            if answer.status == 444:
                if answer.upstreams:
                    self.visit.doubt("when the mirrored request closes the connection")
                return False
        return True

    def _authorise(self, kind: str, uri: str, place: Directive) -> Answer:
        """The subrequest of an `auth_request`, for which the main one waits."""
        if self._run_posted():
            answer = self._subrequest(kind, uri, place)
            self.answer.subrequests.append((kind, answer))
            return answer
        answer = Answer()
        answer.status = 444
        return answer

    def _subrequest(self, kind: str, uri: str, place: Directive) -> Answer:
        """What a request that nginx makes by itself comes to (ngx_http_subrequest): `mirror` keeps method and query."""
        visit = self.visit
        run = Run(self.router, self.socket, self.request, visit.decisions, visit)
        sub = run.visit
        sub.host, sub.target, sub.server = visit.host, visit.target, visit.server
        sub.uri, sub.args = uri, visit.args if kind == "mirror" else ""
        sub.method = visit.method if kind == "mirror" else "GET"
        sub.internal, sub.pristine, sub.replied = True, False, kind == "mirror"
        visit.say(f"{kind} {uri}: a subrequest", place)
        answer = run.go(run._server_phase)
        for doubt in answer.doubts:
            visit.doubt(doubt, place)
        return answer

    def _try_files(self, tried: Directive) -> bool:
        """True where a file was found (or may be), and the content handler goes on."""
        visit = self.visit
        if self._is_alias_of_another_uri():
            return False
        for text in tried.values[:-1]:
            kind = "folder" if text.endswith("/") else "file"
            path, name = tried_file(self.config, visit, text.removesuffix("/"))
            if self._exists(path, kind, tried):
                visit.say(f"try_files: {path} exists", tried)
                location = aliased(self.config, visit)
                if location is None or not location.is_regex:
                    visit.uri = (location.pattern if location is not None else "") + name
                elif kind == "file":
                    visit.uri, visit.add_uri_to_alias = str(name), True
                return True
        last = tried.values[-1] if tried.values else "=500"
        if last.startswith("="):
            visit.say(f"try_files: none of the files exists: {last[1:]}", tried)
            self._status(number_or(last[1:], 500))
        elif last.startswith("@"):
            visit.say(f"try_files: none of the files exists: {last}", tried)
            self._named(last)
        else:
            uri, mark, args = visit.settle(tried_file(self.config, visit, last)[1], tried).partition("?")
            visit.say(f"try_files: none of the files exists: goes on with {uri}", tried)
            self._internal(uri, args if mark else "")
        return False

    def _exists(self, path: str, kind: str, place: Directive) -> bool:
        known = self.visit.kind_of(path)
        if known is not None:
            return known == kind
        return self.visit.ask(f"whether the {kind} {path} exists", place)

    def _handle(self, block: Block) -> None:
        """The content handler: the pass in effect, something we do not know, or files."""
        visit = self.visit
        chosen = visit.handler
        if chosen is not None and chosen.name in PASSES:
            # an `if` before this one may have set the handler; the target is the one in effect here
            chosen = self.config.scope(block).directive(chosen.name)
            if chosen is None:
                visit.say(f"{visit.handler.name if visit.handler else ''} has no target here: 500", block)
                self._status(500)
                return
        if chosen is None:
            self._files(block)
        elif chosen.name in PASSES:
            visit.say(f"{chosen.name} {chosen.values[0] if chosen.values else ''}", chosen)
            upstream, error = pass_on(self.config, visit, chosen)
            self.answer.upstream = upstream
            if upstream is None:
                self._status(error or 500)
                return
            if self._run_posted():
                self.answer.upstreams.append(upstream)
                self._replied(chosen)
                return
            self.answer.upstream = None
            if visit.ask("whether the upstream has the request before a mirrored one closes the connection", chosen):
                self.answer.upstreams.append(upstream)
            self._status(444)
        elif chosen.name not in ("empty_gif", "stub_status"):
            visit.doubt(f"what {chosen.name} does", chosen)
            self._finish("unknown", None)
        elif visit.method in ("GET", "HEAD"):
            visit.say(f"{chosen.name} answers", chosen)
            self._finish("static", visit.error_status or 200)
        else:
            visit.say(f"{chosen.name} answers GET and HEAD only: 405", chosen)
            self._status(405)

    def _replied(self, place: Directive) -> None:
        """What becomes of the headers that the first upstream is said to answer with."""
        visit = self.visit
        assert visit.block is not None
        speaks_headers = place.name != "memcached_pass"
        reply, visit.replied = self.request.reply if speaks_headers and not visit.replied else {}, True
        target = accel_target(self.config.scope(visit.block), place, reply)
        if target is None:
            sent, earlier = reply.get("location"), self.redirect_to
            if sent is not None and earlier is None:
                self.redirect_to = redirect_of(self.config, visit, place, sent)
            self._finish(place.name.removesuffix("_pass"), visit.error_status)
            if sent is not None:  # a Location set on the way comes first, and stays as it is written
                self.answer.redirect_to = earlier or self.answer.redirect_to or sent
            return
        visit.say(f"X-Accel-Redirect: {target}", place)
        self.answer.upstream = None
        if target.startswith("@"):
            self._named(target)
            return
        parts = unsafe_uri(target)
        if parts is None:
            visit.say("X-Accel-Redirect: an unsafe URI: 404", place)
            self._status(404)
            return
        if visit.method != "HEAD":
            visit.method = "GET"
        self._internal(*parts)

    def _files(self, block: Block) -> None:
        """The static handlers: index, then the file."""
        visit = self.visit
        if visit.method not in ("GET", "HEAD", "POST"):
            visit.say(f"{visit.method} asks for a file: 405")
            self._status(405)
            return
        path = file_path(self.config, visit, visit.uri)
        if self._is_alias_of_another_uri():
            return
        if visit.uri.endswith("/"):
            self._index(block, path)
            return
        visit.say(f"a file: {path}", block)
        if self.router.look is not None and path.startswith("/") and not isinstance(path, Unsure):
            kind = self.router.look(path)
            if kind == "folder":
                self._status(301, redirect_to=escape_uri(visit.uri) + "/" + (f"?{visit.args}" if visit.args else ""))
            elif not kind:
                visit.say("there is no such file: 404")
                self._status(404)
            elif visit.method == "POST":
                self._status(405)
            else:
                # a range is 206 or 416, and what was not modified 304
                self._finish("static", None if _CONDITIONS & visit.headers.keys() else visit.error_status or 200)
            return
        if self._error_page(404) is not None and visit.ask(f"whether the file {path} is missing", block):
            self._status(404)
            return
        if self._error_page(301) is not None and visit.ask(f"whether {path} is a folder", block):
            self._status(301, redirect_to=escape_uri(visit.uri) + "/" + (f"?{visit.args}" if visit.args else ""))
            return
        if visit.method == "POST" and self._error_page(405) is not None:
            visit.say("a file answers GET and HEAD only: 405")
            self._status(405)
            return
        self._finish("static", None)

    def _is_alias_of_another_uri(self) -> bool:
        """500 where a rewrite changed the URI (ngx_http_map_uri_to_path)."""
        assert self.visit.block is not None
        place = root_directive(self.config.scope(self.visit.block))
        if place is None or place.name != "alias" or self.visit.valid_location:
            return False
        self.visit.say("alias cannot be used where a rewrite changed the URI: 500", place)
        self._status(500)
        return True

    def _index(self, block: Block, path: str) -> None:
        visit = self.visit
        scope = self.config.scope(block)
        placed = scope.effective("index")
        names = [value for place in placed for value in place.values] or ["index.html"]
        look = self.router.look
        for number, name in enumerate(names, 1):
            filled = expand(self.config, visit, name)
            if filled.startswith("/"):
                visit.say(f"index: goes on with {filled}")
                self._internal(filled, visit.args)
                return
            if look is not None and path.startswith("/") and not isinstance(path, Unsure):
                if look(path + filled):
                    visit.say(f"index: {path}{filled} exists")
                    self._internal(visit.uri + filled, visit.args)
                    return
                if look(path.rstrip("/") or "/") != "folder":
                    break  # nginx looks for the folder as soon as a file in it is missing
                continue
            assert visit.server is not None
            found = self.router.locations(visit.server).find(visit.uri + filled)
            elsewhere = (
                found.location is not visit.location
                or visit.changes_left == 1
                or not filled
                or any(other.startswith("/") for other in names[number:])
                or scope.effective("mirror")
            )
            if elsewhere and visit.ask(f"whether the file {path}{filled} exists", block):
                self._internal(visit.uri + filled, visit.args)
                return
            if any(other.startswith("/") for other in names) and visit.ask(f"whether {path} is missing", block):
                self._status(404)
                return
        if look is not None and path.startswith("/") and not isinstance(path, Unsure):
            if look(path.rstrip("/") or "/") == "file":
                status = 404 if path.endswith("/") else 500
                visit.say(f"{path} is not a directory: {status}", block)
                self._status(status)
            elif look(path.rstrip("/") or "/") != "folder":
                visit.say(f"there is no folder {path}: 404")
                self._status(404)
            elif scope.on("autoindex") and visit.method != "POST":
                self._finish("static", visit.error_status or 200)
            else:
                visit.say("no index file in the folder: 403")
                self._status(403)
            return
        for status in (404, 403, 500):
            if self._error_page(status) is not None and visit.ask(f"whether {path} ends in {status}", block):
                self._status(status)
                return
        visit.say(f"a folder: {path}", block)
        self._finish("static", None)

    # --- endings --------------------------------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        if ending.status in _CLOSING and not ending.sent:
            self._status(ending.status)
        elif ending.redirect_to is not None:
            self._status(ending.status, redirect_to=ending.redirect_to)
        elif ending.sent:
            self._finish("return", self.visit.error_status or ending.status)
        else:
            self._status(ending.status, action="return")

    def _status(self, status: int, *, redirect_to: str | None = None, action: str = "error") -> None:
        """ngx_http_special_response_handler: an `error_page`, or nginx's own page."""
        visit = self.visit
        if status in _CLOSING:
            visit.say(f"{status}: the connection is closed without an answer")
            if any(why == "mirror" and sub.upstreams for why, sub in self.answer.subrequests):
                visit.doubt("whether the mirrored request is through before the connection is closed")
            self._posted, self.redirect_to = [], None
            self._terminated = status == 444
            self._finish("return", 444)
            return
        visit.error_status = status
        if redirect_to is not None:
            self.redirect_to = redirect_to
        scope = self.config.scope(visit.block) if visit.block is not None else None
        if scope is not None and scope.effective("error_page") and not visit.on_error_page and visit.changes_left:
            page = self._error_page(status)
            if not scope.on("recursive_error_pages"):
                visit.on_error_page = True
            if page is not None:
                self._go_to_page(page, status)
                return
        if redirect_to is not None:
            self._finish("redirect", status)
        else:
            self._finish(action, _SEEN_AS.get(status, status))

    def _error_page(self, status: int) -> Directive | None:
        visit = self.visit
        if visit.block is None or visit.on_error_page:
            return None
        for page in self.config.scope(visit.block).effective("error_page"):
            if str(status) in page.values[:-1]:
                return page
        return None

    def _go_to_page(self, page: Directive, status: int) -> None:
        visit = self.visit
        overwrite = -1
        for word in page.values[:-1]:
            if word.startswith("="):
                overwrite = number_or(word[1:], 0)
        if overwrite < 0 and status in _SEEN_AS:
            overwrite = 400
        if overwrite >= 0:
            visit.error_status = overwrite or None
        target = visit.settle(expand(self.config, visit, page.values[-1]), page)
        visit.say(f"error_page {status}: {target}", page)
        if target.startswith("/"):
            if visit.method != "HEAD":
                visit.method = "GET"
            uri, mark, args = target.partition("?")
            self._internal(uri, args if mark else "")
        elif target.startswith("@"):
            self._named(target)
        else:
            self.redirect_to = str(target)
            self._finish("redirect", overwrite if overwrite in _REDIRECTS else 302)

    def _internal(self, uri: str, args: str) -> None:
        """ngx_http_internal_redirect: server rewrites and the location search run again."""
        visit = self.visit
        visit.changes_left -= 1
        if visit.changes_left <= 0:
            visit.changes_left = 0
            visit.say(f"too many internal redirects on the way to {uri}: 500")
            self._status(500)
            return
        visit.uri, visit.args = str(uri), args
        visit.internal = True
        visit.pristine = False
        visit.valid_location = True
        visit.add_uri_to_alias = False
        self._server_phase()

    def _named(self, name: str) -> None:
        visit = self.visit
        visit.changes_left -= 1
        assert visit.server is not None
        location = self.router.locations(visit.server).named.get(name)
        if visit.changes_left <= 0:
            visit.changes_left = 0
            visit.say(f"too many internal redirects on the way to {name}: 500")
            self._status(500)
            return
        if not visit.uri:
            visit.say(f"{name} cannot take over without a path: 500")
            self._status(500)
            return
        if location is None:
            visit.say(f"there is no location {name}: 500")
            self._status(500)
            return
        visit.internal = True
        visit.uri_changed = False
        visit.say(f"named location {name}", location.block)
        self._enter(location)
        if not self._location_rewrites():
            return
        if not visit.uri_changed:
            self._content()
            return
        visit.changes_left -= 1
        if visit.changes_left <= 0:
            self._status(500)
            return
        self._search()

    def _finish(self, action: str, status: int | None) -> None:
        """The end. A Location set on the way stays, even where an `error_page` for 301 then answers."""
        self.answer.action = action
        self.answer.status = status
        self.answer.redirect_to = self._absolute(self.redirect_to) if self.redirect_to is not None else None

    def _absolute(self, target: str) -> str:
        """What the header filter makes of a Location that starts with a slash."""
        visit = self.visit
        scope = self.config.scope(visit.block) if visit.block is not None else None
        if not target.startswith("/") or scope is None or not scope.on("absolute_redirect", True):
            return target
        host = visit.host
        if scope.on("server_name_in_redirect") and visit.server is not None:
            host = visit.server.first_name.removeprefix(".")
        elif not host:
            host = self.request.address
            if not host:
                visit.doubt("the address the connection arrives at, which stands for the missing host (--on)")
        port = self.socket.port
        ordinary = port in (0, 443 if self.request.scheme == "https" else 80)
        shown = "" if ordinary or not scope.on("port_in_redirect", True) else f":{port}"
        return f"{self.request.scheme}://{host}{shown}{target}"
