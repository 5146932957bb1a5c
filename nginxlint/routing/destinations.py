"""Where a pass can lead once its variables are filled in, as far as the configuration alone can tell."""

from __future__ import annotations

from nginxlint.routing.passes import Pass, split_target
from nginxlint.routing.upstreams import split_authority
from nginxlint.routing.variables import REFERENCE, Folded
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

# Variables whose value is, or begins, the path or the query: the authority ends before them.
OF_THE_URI = frozenset(("request_uri", "uri", "document_uri", "is_args"))


class Destination:
    """One target a pass can have. `uri` may still hold variables; None: no URI part, so nginx sends the request's
    own. `scheme` is empty where the text has none, `$scheme` where it is the client's. `origins` are the `set`s and
    map lines the text came from."""

    __slots__ = ("authority", "host", "origins", "port", "scheme", "text", "unix", "uri")

    def __init__(self, text: str, uri_tail: str, origins: tuple[Directive, ...], scheme: str = "") -> None:
        self.origins = origins
        self.text = text + uri_tail
        own_scheme, self.authority, uri = split_target(text)
        self.scheme = scheme or own_scheme
        self.uri = None if uri is None and not uri_tail else (uri or "") + uri_tail
        self.host, self.port, self.unix = split_authority(self.authority)

    @property
    def is_literal(self) -> bool:
        """An address that nobody has to look up: an IP address or a unix socket."""
        return self.unix is not None or ":" in self.host or not self.host.strip("0123456789.")

    def __repr__(self) -> str:
        return f"Destination({self.text!r})"


def destinations(config: Config, target: Pass) -> list[Destination] | None:
    """Every destination of a pass; None where scheme or authority hang on the request."""
    head, tail = split_template(target.text)
    scheme = ""
    for written in ("$scheme://", "${scheme}://"):
        if head.startswith(written):
            scheme, head = "$scheme", head[len(written) :]
    folded: list[Folded] | None = config.fold(target.directive, head)
    if folded is None:
        return None
    return [Destination(value.text, tail, value.origins, scheme) for value in folded]


def split_template(text: str) -> tuple[str, str]:
    """Scheme and authority of a pass target with variables, and its URI part ("" for none)."""
    begin = text.find("://") + 3 if "://" in text and not text.startswith("unix:") else 0
    if text.startswith("unix:", begin):
        end = text.find(":", begin + 5)
        return (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
    end = len(text)
    for mark in "/?#":
        at = text.find(mark, begin)
        if 0 <= at < end:
            end = at
    for match in REFERENCE.finditer(text, begin, end):
        if (match[1] or match[2]).lower() in OF_THE_URI:
            end = match.start()
            break
    return text[:end], text[end:]
