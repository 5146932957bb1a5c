"""The state of one request on its way through nginx, and the questions nobody can answer beforehand."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_address, print_address
from nginxlint.catalogue.inheritance import ANONYMOUS
from nginxlint.regex import Regex, RegexMatch
from nginxlint.routing.escaping import escape_args
from nginxlint.routing.match import own_handler
from nginxlint.routing.request import Request, Target, lines_of
from nginxlint.routing.servers import Location, Server
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_URI_CHANGES = 10


class Unsure(str):
    """A text that hangs on something unknown; its value is what it is if that something is absent."""

    __slots__ = ("why",)

    why: str

    def __new__(cls, text: str, why: str) -> Unsure:
        made = super().__new__(cls, text)
        made.why = why
        return made


class Step:
    """One thing that happened, and the directive that made it happen."""

    __slots__ = ("directive", "text")

    def __init__(self, text: str, directive: Directive | None = None) -> None:
        self.text = text
        self.directive = directive


class Connection:
    """Where a request and its subrequests come from: `peer` is at the other end, `client` who nginx takes for the client;
    `replaced`: the realip module has told it."""

    __slots__ = ("client", "peer", "replaced")

    def __init__(self, client: str) -> None:
        text = client.strip("[]")
        address = parse_address(text)
        known = text if address is None else print_address(address)
        self.peer = known or Unsure("", "the address the connection comes from is not given (--client)")
        self.client = self.peer
        self.replaced = False


class TooManyQuestions(Exception):
    """The outcome hangs on more unknowns than we follow."""


class Visit:
    """One request. `block` is the block whose settings are in effect, `location` the location around it.

    `decisions` are the answers assumed to the first questions; `asked` collects (question, answer) of all.
    `doubts` are unknowns that no yes or no can settle.
    """

    def __init__(self, request: Request, decisions: tuple[bool, ...], parent: Visit | None = None) -> None:
        """`parent`: the visit whose subrequest this is; the two share what was asked and the variables."""
        self.request = request
        self.headers: dict[str, str] = request.headers if parent is None else parent.headers
        self.decisions = decisions
        self.asked: list[tuple[str, bool]] = [] if parent is None else parent.asked
        self._remembered: dict[str, bool] = {} if parent is None else parent._remembered
        self.doubts: list[str] = []
        self.steps: list[Step] = []
        self.host = ""
        self.uri = "/"
        self.args = ""
        self.target: Target | None = None
        self.method = request.method
        self.pristine = True
        self.valid_location = True
        self.internal = False
        self.add_uri_to_alias = False  # try_files found the file of an alias in a regex location
        self.uri_changed = False
        self.changes_left = MAX_URI_CHANGES + 1
        self.on_error_page = False
        self.error_status: int | None = None
        self.refusal: int | None = None  # what `satisfy any` keeps while other checks may still let it pass
        self.captures: list[str] = []
        self.named: dict[str, str] = {}
        self.variables: dict[str, str] = {} if parent is None else parent.variables
        self.cached: dict[str, str] = {} if parent is None else parent.cached
        self.look: Callable[[str], str] | None = None
        self.parent = parent
        self.connection: Connection = Connection(request.client) if parent is None else parent.connection
        self.replied = False
        self.server: Server | None = None
        self.block: Block | None = None
        self.handler: Directive | None = None
        self.location: Location | None = None
        self.notes: list[str] = []

    @property
    def is_subrequest(self) -> bool:
        return self.parent is not None

    @property
    def quoted(self) -> bool:
        return self.target is not None and self.target.quoted

    @property
    def quoted_or_plus(self) -> bool:
        return self.target is not None and (self.target.quoted or self.target.plus)

    def lines(self) -> Iterator[tuple[str, str]]:
        """The headers of the client line by line."""
        return ((name, line) for name, value in self.headers.items() for line in lines_of(value))

    def say(self, text: str, directive: Directive | None = None) -> None:
        self.steps.append(Step(text, directive))

    def enter(self, block: Block, location: Location | None) -> None:
        """Take on the settings of a server, a location, or an `if` or `limit_except` in it; the latter keep the
        content handler that was set before (ngx_http_update_location_config)."""
        self.block, self.location = block, location
        own = own_handler(block)
        if own is not None or block.name not in ANONYMOUS:
            self.handler = own

    def kind_of(self, path: str) -> str | None:
        """What a path of the file system is, where somebody knows ("" for nothing)."""
        if self.look is None or isinstance(path, Unsure) or not path.startswith("/"):
            return None
        return self.look(path)

    def ask(self, question: str, directive: Directive | None, default: bool = False) -> bool:
        """The assumed answer to something unknowable. The same question has the same answer in one run."""
        known = self._remembered.get(question)
        if known is not None:
            return known
        number = len(self.asked)
        answer = self.decisions[number] if number < len(self.decisions) else default
        self.asked.append((question, answer))
        self._remembered[question] = answer
        self.say(f"cannot tell: {question}; taken as {'yes' if answer else 'no'}", directive)
        return answer

    def doubt(self, why: str, directive: Directive | None = None) -> None:
        if why not in self.doubts:
            self.doubts.append(why)
            self.say(f"cannot tell: {why}", directive)

    def settle(self, text: str, directive: Directive | None = None) -> str:
        """A text that decides something: where it is unsure, so is the outcome."""
        if isinstance(text, Unsure):
            self.doubt(text.why, directive)
        return text

    def remember(self, regex: Regex, match: RegexMatch | None, subject: str = "") -> None:
        """What a regex captured becomes $1… and named variables; nobody knows what where no match is at hand."""
        captured = [match.group(number) if match is not None else "" for number in range(regex.captures + 1)]
        if isinstance(subject, Unsure):
            captured = [Unsure(text, subject.why) for text in captured]
        self.captures = captured
        for name, number in regex.names.items():
            self.variables[name.lower()] = captured[number]

    def forget(self, regex: Regex, why: str) -> None:
        """A regex that may match something unknown: nobody knows what it leaves of $1… and of its named variables."""
        captured = [*self.captures, *[""] * (regex.captures + 1 - len(self.captures))]
        self.captures = [Unsure(text, why) for text in captured]
        for name in regex.names:
            self.variables[name.lower()] = Unsure(self.variables.get(name.lower(), ""), why)

    def capture(self, number: int, quote: bool = False) -> str:
        text = self.captures[number] if number < len(self.captures) else ""
        return like(text, escape_args(text)) if quote and self.quoted_or_plus else text


def like(model: str, text: str) -> str:
    return Unsure(text, model.why) if isinstance(model, Unsure) else text
