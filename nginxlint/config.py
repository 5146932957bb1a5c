"""What a rule is given: the whole configuration of one root, indexed once."""

from __future__ import annotations

from itertools import chain
from time import time

from nginxlint.expressions import compiled
from nginxlint.includes import INERT, Include, Loaded, ReadFile
from nginxlint.routing.grouped import Grouped
from nginxlint.routing.headers import RequestHeaders
from nginxlint.routing.listeners import Endpoint, Listeners, inward_passes
from nginxlint.routing.passes import Pass
from nginxlint.routing.scope import Known, Scope
from nginxlint.routing.servers import SOCKET_OPTIONS, Location, Server
from nginxlint.routing.upstreams import Upstream
from nginxlint.routing.uses import PASSES, Use, Uses
from nginxlint.routing.variables import Folded, fold
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # parts of the model that few configurations need are imported when they are asked for
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, KeysView
    from typing import Any, TypeVar

    from nginxlint.routing.binding import Bound
    from nginxlint.routing.caching import CachedPass
    from nginxlint.routing.certificates import Presented
    from nginxlint.routing.handshakes import Handshake
    from nginxlint.routing.ignored_names import IgnoredNames
    from nginxlint.routing.lookups import Lookup
    from nginxlint.routing.paths import DeadPattern, DeadPrefix
    from nginxlint.routing.redirects import Redirect
    from nginxlint.routing.rounds import Circle
    from nginxlint.routing.router import Router
    from nginxlint.routing.shadowing import Shadow

    Answer = TypeVar("Answer")

Version = tuple[int, int, int]

# The newest nginx the catalogue knows; taken where nothing says which nginx will run this.
NEWEST: Version = (1, 31, 5)
_GEO_PATTERNS: Version = (1, 29, 8)


class Config:
    """One root with all its includes.

    `root` is the PATH argument it came from, `main` the root block, `files` all that was read, `faulty` those with
    syntax faults, `includes` every include directive with what it read, `version` the nginx it is judged for, `snippet`
    true where the surroundings are guessed (facts about what is absent elsewhere are then unknown), `broken` true where
    a syntax fault means that structure may have been lost. `look` tells of an absolute path whether it is a "file", a
    "folder", a "socket" or "" here, `locate` where that is; both None where the machine that checks is not the one that
    runs nginx. `clock` gives the time now, in seconds since 1970.
    """

    def __init__(self, root: str, loaded: Loaded, *, version: Version = NEWEST, snippet: bool = False) -> None:
        self.root = root
        self.main = loaded.main
        self.files: list[ReadFile] = loaded.files
        self.includes: list[Include] = loaded.includes
        self.version = version
        self.snippet = snippet
        self.faulty = [file for file in loaded.files if file.faults]
        self.broken = bool(self.faulty)
        self.limit = loaded.limit
        self.conf_folder = loaded.conf_folder
        self.look: Callable[[str], str] | None = None
        self.locate: Callable[[str], str] | None = None
        self.clock: Callable[[], float] = time
        self._by_name = Known(self.main)
        self.directive_count = sum(map(len, self._by_name.values()))
        self._scopes: dict[Block, Scope] = {}
        self._servers: list[Server] | None = None
        self._server_of: dict[Block | None, Server] | None = None
        self._upstreams: dict[str, dict[str, Upstream]] | None = None
        self._passes: dict[str, list[Pass]] = {}
        self._passes_inside: dict[str, Grouped[Block | None, Pass]] = {}
        self._assignments: dict[str, dict[Block | None, list[Directive]]] = {}
        self._other_definitions: dict[str, list[Directive]] = {}
        self._folded: dict[tuple[Directive, str], list[Folded] | None] = {}
        self.known_endpoints: dict[tuple[Directive, str], list[Endpoint]] = {}  # for nginxlint.routing.listeners
        self._uses: Uses | None = None
        self._request_headers: dict[tuple[Block, str], RequestHeaders] = {}
        self._locations: dict[Block, Location | None] = {}
        self._locations_in: dict[Block, list[Location]] = {}
        self._listeners: Listeners | None = None
        self._inward_passes: list[Pass] | None = None
        self._arguments: dict[str, str] = {}
        self._in_capitals: set[str] = set()
        self._hyphenated: list[Directive] | None = None
        self._variables: dict[str, list[Directive]] | None = None
        self._gaps: frozenset[Block] | None = None
        self._passes_with_uri: list[Pass] | None = None
        self._direct_passes: list[Pass] | None = None
        self._routers: dict[Callable[[str], str] | None, Router] = {}
        self._answers: dict[Callable[[Config], Any], Any] = {}

    def _once(self, question: Callable[[Config], Answer]) -> Answer:
        """The answer of a part of the model; who asks has imported that part, which few configurations need."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: Answer = self._answers[question]
        return answer

    @property
    def index(self) -> Known:
        """All its directives by name."""
        return self._by_name

    @property
    def partial(self) -> bool:
        """Was only a part of the configuration seen? What is absent may then stand elsewhere."""
        if self.snippet or self.broken:
            return True
        return any(path.rpartition("/")[2] not in INERT for include in self.includes for path, _ in include.problems)

    @property
    def runs_code(self) -> bool:
        """Does it run scripts? They may give a variable of `set` another value, and ask for any location."""
        return self._once(_runs_code)

    @property
    def failed_includes(self) -> list[Include]:
        """The includes of which something could not be read."""
        return [include for include in self.includes if include.problems or self._is_name(include)]

    def _is_name(self, include: Include) -> bool:
        """Is it a pattern that nginx takes for a name? A `geo` knew none before 1.29.8 (CHANGES; ngx_http_geo_include)."""
        within = include.directive.parent
        return within is not None and within.name == "geo" and include.is_pattern and self.version < _GEO_PATTERNS

    @property
    def gaps(self) -> frozenset[Block]:
        """The blocks in which an include found no file; those that hold nothing rules look for are left aside."""
        if self._gaps is None:
            missing = (one for one in self.includes if not one.files and one.pattern.rpartition("/")[2] not in INERT)
            self._gaps = frozenset(parent for one in missing if (parent := one.directive.parent) is not None)
        return self._gaps

    @property
    def names(self) -> KeysView[str]:
        """The names of all directives that occur."""
        return self._by_name.keys()

    def concerns(self, directives: Iterable[str], texts: Iterable[str] = ()) -> bool:
        """Does one of these directives occur, and if `texts` are given, one of them (lower-case) in its arguments? A text
        may begin or end with a zero: an argument does there."""
        present = [name for name in directives if name in self._by_name]
        if not texts or not present:
            return bool(present)
        said = [self.said(name) for name in present]
        return any(text in arguments for arguments in said for text in texts)

    def said(self, name: str) -> str:
        """All arguments of the directives of that name, lower-case, each between two zeros: one look at them is quicker
        than one at each."""
        arguments = self._arguments.get(name)
        if arguments is None:
            written = self._by_name.said(name)
            arguments = self._arguments[name] = written.lower()
            if written != arguments:
                self._in_capitals.add(name)
        return arguments

    def has_capitals(self, name: str) -> bool:
        """Does a capital letter stand in the arguments of the directives of that name?"""
        return bool(self.said(name)) and name in self._in_capitals

    def find(self, *names: str) -> Iterator[Directive]:
        """All directives that have one of these names, wherever they stand, in file order per name."""
        return chain.from_iterable([self._by_name.get(name, ()) for name in names])

    def blocks(self, *names: str) -> Iterator[Block]:
        """All blocks that have one of these names."""
        return chain.from_iterable([self._by_name.apart(name)[1] for name in names])

    def alike(self, name: str) -> Grouped[tuple[str, ...], Directive]:
        """All directives of that name by their arguments, so that what is repeated is judged once."""
        return self._by_name.alike(name)

    def saying(self, says: Callable[[tuple[str, ...]], object], *names: str) -> Iterator[Directive]:
        """The directives with one of these names whose arguments pass the test `says`."""
        for name in names:
            alike = self.alike(name)
            for values in filter(says, alike):
                yield from alike.members(values)

    @property
    def hyphenated(self) -> list[Directive]:
        """The directives, whatever their name, in whose arguments the name of a variable ends at a hyphen."""
        if self._hyphenated is None:
            variable = compiled(r"\$\w+-")
            self._hyphenated = []
            for name, lines in self._by_name.items():
                said = self._arguments.get(name) or self._by_name.spelled(name)
                if "$" in said and variable.search(said):
                    self._hyphenated += [line for line in lines if any(map(variable.search, line.values))]
        return self._hyphenated

    def sets(self, name: str) -> Grouped[tuple[tuple[str, ...], ...], Block]:
        """The blocks that hold directives of that name, by the arguments of all of these: few blocks say something of
        their own."""
        return self._by_name.sets(name)

    def holders(self, name: str, says: Callable[[tuple[str, ...]], bool]) -> set[Block]:
        """The blocks that hold a directive of that name whose arguments pass the test `says`."""
        sets = self.sets(name)
        return {block for lines in sets if any(map(says, lines)) for block in sets.members(lines)}

    def setter(self, name: str, place: Directive) -> Block | None:
        """The nearest block around a place that holds directives of that name: its own are those in effect there, where
        they are inherited as a whole set."""
        holders = self._by_name.holders(name)
        block = place.parent
        while block is not None and block not in holders:
            block = block.parent
        return block

    def scope(self, place: Directive) -> Scope:
        """The scope of a block, or of the block a directive stands in."""
        block = place if isinstance(place, Block) else place.parent
        if block is None:
            block = self.main
        scope = self._scopes.get(block)
        if scope is None:
            outer = None if block.parent is None else self.scope(block.parent)
            scope = self._scopes[block] = Scope(block, outer, self._by_name)
        return scope

    # --- servers and locations --------------------------------------------------------------------------------

    @property
    def servers(self) -> list[Server]:
        """All `server` blocks of http and stream, in the order nginx meets them."""
        if self._servers is None:
            self._servers = [
                Server(block, self, block.parent.name)
                for block in self.blocks("server")
                if block.parent and block.parent.name in _HOLDERS
            ]
        return self._servers

    def _servers_by_block(self) -> dict[Block | None, Server]:
        if self._server_of is None:
            self._server_of = {server.block: server for server in self.servers}
        return self._server_of

    def http_servers(self) -> list[Server]:
        return [server for server in self.servers if server.kind == "http"]

    def locations_in(self, block: Block) -> list[Location]:
        """The locations directly inside a server or location block, in file order."""
        found = self._locations_in.get(block)
        if found is None:
            made = [self._location(one) for one in block.named("location") if isinstance(one, Block)]
            found = self._locations_in[block] = [location for location in made if location is not None]
        return found

    def _location(self, block: Block) -> Location | None:
        """A location by its block. One that stands in no server, or in what takes no location, is none."""
        if block in self._locations:
            return self._locations[block]
        around = block.parent
        outer = self._location(around) if around is not None and around.name == "location" else None
        server = outer.server if outer is not None else self._servers_by_block().get(around)
        location = self._locations[block] = None if server is None else Location(block, self, server, outer)
        return location

    def location(self, place: Directive) -> Location | None:
        """The location a directive stands in (through `if` and `limit_except`), or the one a location block is."""
        block = place if place.name == "location" else place.enclosing("location")
        return self._location(block) if isinstance(block, Block) else None

    def server(self, place: Directive) -> Server | None:
        """The server a directive stands in."""
        block = place if place.name == "server" and isinstance(place, Block) else place.enclosing("server")
        return self._servers_by_block().get(block) if isinstance(block, Block) else None

    @property
    def listen_addresses(self) -> set[str]:
        """What `listen`s say that name more than a port, as written."""
        return {values[0] for values in self.alike("listen") if values and not values[0].isdigit()}

    @property
    def listeners(self) -> Listeners:
        """Our own sockets: `config.listeners.behind(endpoint)` says whether an address is one of them."""
        if self._listeners is None:
            self._listeners = Listeners(self.servers)
        return self._listeners

    @property
    def inward_passes(self) -> list[Pass]:
        """The passes that may lead to one of our own sockets; all others certainly leave this nginx."""
        if self._inward_passes is None:
            self._inward_passes = inward_passes(self, *PASSES)
        return self._inward_passes

    def is_asked_by_name(self, server: Server) -> bool:
        """Does it matter which names a server has? Not if it answers everything on all its sockets, as their default."""
        return self.partial or any(self.listeners.at(server, one).default is not server for one in server.listens)

    @property
    def bind_conflicts(self) -> list[tuple[Bound, Bound]]:
        """The sockets that nginx cannot bind when it starts, each with the one that is bound before it."""
        if not self.concerns(("stream", "mail")) and not self.concerns(("listen",), SOCKET_OPTIONS):
            return []
        from nginxlint.routing.binding import bind_conflicts

        return self._once(bind_conflicts)

    @property
    def ignored_names(self) -> list[IgnoredNames]:
        """The server names that nginx ignores, because another server of the same socket has them already."""
        from nginxlint.routing.ignored_names import ignored_names

        return self._once(ignored_names)

    @property
    def shadows(self) -> list[Shadow]:
        """The locations that never answer, because another one takes all their requests."""
        from nginxlint.routing.shadowing import shadows

        return self._once(shadows)

    @property
    def dead_prefixes(self) -> list[DeadPrefix]:
        """The locations whose prefix no path begins with, as nginx compares them."""
        from nginxlint.routing.paths import dead_prefixes

        return self._once(dead_prefixes)

    @property
    def dead_patterns(self) -> list[DeadPattern]:
        """The regular expressions for paths that match none."""
        from nginxlint.routing.paths import dead_patterns

        return self._once(dead_patterns)

    @property
    def router(self) -> Router:
        """The route simulator of this configuration; compiled when first asked for, so ask only for candidates."""
        return self.router_with(None)

    def router_with(self, look: Callable[[str], str] | None) -> Router:
        """The same with a disk: `look` says what a path is, "file", "folder" or "" for nothing. There is one of each."""
        router = self._routers.get(look)
        if router is None:
            from nginxlint.routing.router import Router

            router = self._routers[look] = Router(self, look)
        return router

    @property
    def nests_locations(self) -> bool:
        """Does a location stand in another one?"""
        return "location" in {block.name for block in self._by_name.holders("location") if block is not None}

    @property
    def schemeless_redirects(self) -> list[tuple[Redirect, str]]:
        """The redirects to an address without scheme, which browsers take for a path; each with the mended address."""
        from nginxlint.routing.redirects import schemeless_redirects

        return self._once(schemeless_redirects)

    @property
    def redirect_circles(self) -> list[tuple[Redirect, str]]:
        """The redirects that certainly lead back to themselves, with a URL that shows it."""
        from nginxlint.routing.redirects import redirect_circles

        return self._once(redirect_circles)

    @property
    def circles(self) -> list[Circle]:
        """The requests that our own passes hand on to ourselves for ever."""
        from nginxlint.routing.rounds import circles

        return self._once(circles)

    # --- variables --------------------------------------------------------------------------------------------

    def variable_definitions(self) -> dict[str, list[Directive]]:
        """The directives that define each variable, by its name without `$`, lower-cased."""
        if self._variables is None:
            self._variables = {}
            for name, position in _DEFINERS.items():
                for directive in self.find(name):
                    if len(directive.values) > abs(position) - (position < 0):
                        variable = directive.values[position].removeprefix("$").lower()
                        self._variables.setdefault(variable, []).append(directive)
        return self._variables

    def assignments(self, variable: str) -> dict[Block | None, list[Directive]]:
        """The `set`s of a variable (lower-case, without its `$`), by the server they stand in."""
        known = self._assignments.get(variable)
        if known is None:
            known = self._assignments[variable] = {}
            for directive in self.variable_definitions().get(variable, ()):
                if directive.name == "set" and len(directive.values) == 2:
                    known.setdefault(directive.enclosing("server"), []).append(directive)
        return known

    def other_definitions(self, variable: str) -> list[Directive]:
        """What else than a `set` defines a variable: `map`, `geo`, `split_clients`, directives of modules."""
        known = self._other_definitions.get(variable)
        if known is None:
            defined = self.variable_definitions().get(variable, ())
            known = self._other_definitions[variable] = [one for one in defined if one.name != "set"]
        return known

    def fold(self, place: Directive, text: str) -> list[Folded] | None:
        """Everything a text with variables can become at `place`; None where that depends on the request."""
        if "$" not in text:
            return [Folded(text)]
        key = place, text
        if key not in self._folded:
            self._folded[key] = fold(self, place, text)
        return self._folded[key]

    # --- upstream groups and passes ---------------------------------------------------------------------------

    @property
    def upstreams(self) -> list[Upstream]:
        """All upstream groups; of twins the first."""
        return [group for groups in self._upstream_index().values() for group in groups.values()]

    def _upstream_index(self) -> dict[str, dict[str, Upstream]]:
        """The groups of http and of stream, by their names in lower case."""
        if self._upstreams is None:
            self._upstreams = {"http": {}, "stream": {}}
            has_stream = "stream" in self._by_name
            for block in self.blocks("upstream"):
                group = Upstream(block, "stream" if has_stream and block.enclosing("stream") else "http")
                lower = group.name.lower()
                self._upstreams[group.kind].setdefault(group.name if group.name == lower else lower, group)
        return self._upstreams

    def upstream(self, name: str, kind: str = "http") -> Upstream | None:
        """The group of that name; nginx compares without regard to case."""
        return self._upstream_index()[kind].get(name.lower())

    @property
    def used_groups(self) -> Iterable[tuple[Upstream, list[Use]]]:
        """The groups that passes lead to, with these passes."""
        return self._all_uses().by_group.groups()

    def uses(self, group: Upstream) -> list[Use]:
        """The passes that lead to a group, as far as the configuration tells (see `all_uses_known`)."""
        return self._all_uses().by_group.members(group)

    @property
    def all_uses_known(self) -> bool:
        """Is every pass's target known? One that hangs on the request may lead to any group."""
        return self._all_uses().all_known

    def _all_uses(self) -> Uses:
        if self._uses is None:
            self._uses = Uses(self)
        return self._uses

    def request_headers(self, scope: Scope, family: str = "proxy") -> RequestHeaders:
        """What a pass of `family` (proxy or grpc) in a scope sends; made once for all who ask."""
        key = scope.block, family
        headers = self._request_headers.get(key)
        if headers is None:
            headers = self._request_headers[key] = RequestHeaders(self, scope, family)
        return headers

    def governed(self, setting: Directive, *names: str) -> Iterator[Pass]:
        """The passes with one of these names for which a setting is in effect."""
        block = setting.parent
        if block is None or block.name not in ("server", "location", "if", "limit_except"):
            inside: Iterable[Pass] = self.passes(*names)
        elif not block.blocks():
            inside = [target for name in names for target in self._passes_in(name).members(block)]
        else:
            inside = (Pass(one) for one in block.walk() if one.name in names and one.values)
        for target in inside:
            if setting in self.scope(target.directive).effective(setting.name):
                yield target

    def passes(self, *names: str) -> Iterator[Pass]:
        """The pass targets of these directives (`proxy_pass` where none is named), http and stream."""
        return chain.from_iterable([self._passes_by(name) for name in names or ("proxy_pass",)])

    def _passes_by(self, name: str) -> list[Pass]:
        passes = self._passes.get(name)
        if passes is None:
            kind = None if "stream" in self._by_name else "http"
            found = self._by_name.get(name, ())
            passes = self._passes[name] = [Pass(directive, kind=kind) for directive in found if directive.values]
        return passes

    @property
    def direct_passes(self) -> list[Pass]:
        """The passes that do not lead to an upstream group, and those with variables, of which that is not known."""
        if self._direct_passes is None:
            every = self.passes(*PASSES)
            self._direct_passes = [one for one in every if one.has_variables or one.group(self) is None]
        return self._direct_passes

    @property
    def passes_with_uri(self) -> list[Pass]:
        """The `proxy_pass` targets without variables that have a URI part: it replaces what the location matched."""
        if self._passes_with_uri is None:
            self._passes_with_uri = [one for one in self.passes() if one.uri is not None and not one.has_variables]
        return self._passes_with_uri

    def _passes_in(self, name: str) -> Grouped[Block | None, Pass]:
        """The passes of that name by the block they stand in."""
        found = self._passes_inside.get(name)
        if found is None:
            passes = self._passes_by(name)
            found = self._passes_inside[name] = Grouped([target.directive.parent for target in passes], passes)
        return found

    @property
    def cached_passes(self) -> list[CachedPass]:
        """The passes whose answers may be stored in a cache."""
        from nginxlint.routing.caching import cached_passes

        return self._once(cached_passes)

    @property
    def handshakes(self) -> list[Handshake]:
        """The sets of request headers that hand WebSocket handshakes on, wholly or in half."""
        from nginxlint.routing.handshakes import handshakes

        return self._once(handshakes)

    @property
    def certificates(self) -> list[Presented]:
        """The certificates that each server with TLS shows; none where files are not looked at."""
        if self.locate is None:
            return []
        from nginxlint.routing.certificates import presented

        return self._once(presented)

    @property
    def worker_user(self) -> str:
        """The user the workers run as: the `user` directive, else what nginx is compiled with."""
        return next((line.values[0] for line in self.find("user") if line.values), "nobody")

    @property
    def lookups(self) -> list[Lookup]:
        """The names that nginx looks up while it runs, each with its resolver."""
        from nginxlint.routing.lookups import run_time_lookups

        return self._once(run_time_lookups)


def _runs_code(config: Config) -> bool:
    return any(name.startswith(("js_", "perl")) or "_by_lua" in name for name in config.names)


_HOLDERS = ("http", "stream")

# Directives that define a variable, and the argument that names it (from the end where negative).
_DEFINERS = {
    "set": 0,
    "map": 1,
    "geo": -1,
    "split_clients": 1,
    "auth_request_set": 0,
    "js_set": 0,
    "js_var": 0,
    "perl_set": 0,
    "set_by_lua": 0,
    "set_by_lua_block": 0,
    "set_by_lua_file": 0,
    "auth_jwt_claim_set": 0,
    "keyval": 1,
    "set_escape_uri": 0,
    "set_unescape_uri": 0,
    "set_random": 0,
}
