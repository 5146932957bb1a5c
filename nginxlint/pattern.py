"""What can be proved of a regular expression without running it: how its matches begin, end and what they hold."""

from __future__ import annotations

MAX_SHAPES = 64
MAX_REPEATS = 8
_MAX_CLASS = 4
_ZERO_WIDTH = ("?=", "?!", "?<=", "?<!")
# Escapes that stand for one of several characters, with one they match.
_CLASSES = {"d": "1", "w": "x", "s": " ", "h": " ", "D": "x", "W": "-", "S": "x", "H": "x", "N": "x", "V": "x"}

_known: dict[str, tuple[Shape, ...] | None] = {}


class Shape:
    """One way for a pattern to match: the literal texts `runs` in order, with anything unknown between two of them.

    `start` and `end`: the first run begins the subject, the last one ends it. `exact`: whatever has this shape does
    match (else the shape is only necessary). `example` is a text of this shape, for somebody to try.
    """

    __slots__ = ("end", "exact", "example", "runs", "start")

    def __init__(
        self, runs: tuple[str, ...], *, start: bool = False, end: bool = False, exact: bool = True, example: str = ""
    ) -> None:
        self.runs = runs
        self.start = start
        self.end = end
        self.exact = exact
        self.example = example

    def covers(self, other: Shape, *, caseless: bool, other_caseless: bool) -> bool:
        """Does this match every text that has the other shape? False where that cannot be proved."""
        if not self.exact or len(self.runs) > 2:
            return False
        mine, theirs = self.runs, other.runs
        if caseless:
            mine, theirs = tuple(map(str.lower, mine)), tuple(map(str.lower, theirs))
        elif other_caseless and any(run != run.swapcase() for run in mine):
            return False
        if len(mine) == 1 and self.start and self.end:
            return other.start and other.end and theirs == mine
        if len(mine) == 1 and not self.start and not self.end:
            return any(mine[0] in run for run in theirs)
        if self.start and mine[0] and not (other.start and theirs[0].startswith(mine[0])):
            return False
        if self.end and mine[-1] and not (other.end and theirs[-1].endswith(mine[-1])):
            return False
        if len(mine) == 1:
            return True
        return self.start and self.end and (len(theirs) > 1 or len(theirs[0]) >= len(mine[0]) + len(mine[1]))

    def __repr__(self) -> str:
        return f"Shape({'^' if self.start else ''}{' … '.join(self.runs)}{'$' if self.end else ''})"


def shapes(pattern: str) -> tuple[Shape, ...] | None:
    """Every shape a match of the pattern can have (none at all: it can never match); None where that is not known.

    Texts with line breaks are left aside, and so is the difference between `$` and `\\z`.
    """
    if pattern not in _known:
        try:
            sequences = _Reader(pattern).whole()
        except _Unreadable:
            _known[pattern] = None
        else:
            found = (_shape(sequence) for sequence in sequences)
            _known[pattern] = tuple(shape for shape in found if shape is not None)
    return _known[pattern]


def covers(wide: str, narrow: str, *, caseless: bool = False, narrow_caseless: bool = False) -> bool:
    """Does the pattern `wide` provably match everything that `narrow` matches? (`caseless` is about `wide`.)"""
    if wide == narrow and (caseless or not narrow_caseless):
        return True
    those = shapes(narrow)
    return bool(those) and all(covers_shape(wide, shape, caseless, narrow_caseless) for shape in those or ())


def covers_shape(wide: str, narrow: Shape, caseless: bool = False, narrow_caseless: bool = False) -> bool:
    """Does the pattern `wide` provably match everything that has this shape?"""
    return any(shape.covers(narrow, caseless=caseless, other_caseless=narrow_caseless) for shape in shapes(wide) or ())


class _Unreadable(Exception):
    """The pattern holds something whose matches we do not know."""


class _Token:
    """`text`: this very text. None: a gap, some text of which `sample` is an example; `anything`: any text at all.
    The anchors are two tokens of their own."""

    __slots__ = ("anything", "sample", "text")

    def __init__(self, text: str | None, sample: str = "", *, anything: bool = False) -> None:
        self.text = text
        self.sample = sample if text is None else text
        self.anything = anything


_START = _Token("", "")
_END = _Token("", "")
_DOT = _Token(None, "x")
_GAP = _Token(None, "")
_Sequence = tuple[_Token, ...]


def _shape(sequence: _Sequence) -> Shape | None:
    """The shape of one sequence of tokens; None where it contradicts itself (`$` before a character)."""
    start = end = False
    exact = True
    parts: list[_Token] = []
    for token in sequence:
        if token is _START:
            if any(part.text for part in parts):
                return None
            exact = exact and not parts
            parts, start = [], True
        elif token is _END:
            end = True
        elif end:
            if token.text:
                return None
            exact = False
        else:
            exact = exact and (token.text is not None or token.anything)
            parts.append(token)
    while parts and parts[0].anything:  # ^.* is no anchor
        del parts[0]
        start = False
    while parts and parts[-1].anything:
        del parts[-1]
        end = False
    runs = [""]
    for part in parts:
        if part.text is not None:
            runs[-1] += part.text
        elif runs[-1] or len(runs) == 1:
            runs.append("")
    if not start and len(runs) > 1 and not runs[0]:
        del runs[0]
    if not end and len(runs) > 1 and not runs[-1]:
        del runs[-1]
    return Shape(tuple(runs), start=start, end=end, exact=exact, example="".join(token.sample for token in sequence))


class _Reader:
    """Reads a pattern into the sequences it can be, alternations and options multiplied out."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def whole(self) -> list[_Sequence]:
        found = self._alternatives()
        if self.at < len(self.pattern):
            raise _Unreadable
        return found

    def _peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def _take(self) -> str:
        if self.at >= len(self.pattern):
            raise _Unreadable
        self.at += 1
        return self.pattern[self.at - 1]

    def _alternatives(self) -> list[_Sequence]:
        found: list[_Sequence] = []
        while True:
            sequences: list[_Sequence] = [()]
            while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
                options = self._quantified(self._atom())
                sequences = [(*head, *tail) for head in sequences for tail in options]
                if len(sequences) > MAX_SHAPES:
                    raise _Unreadable
            found += sequences
            if len(found) > MAX_SHAPES:
                raise _Unreadable
            if not self._peek("|"):
                return found
            self.at += 1

    def _atom(self) -> list[_Sequence]:
        character = self._take()
        if character == "^":
            return [(_START,)]
        if character == "$":
            return [(_END,)]
        if character == ".":
            return [(_DOT,)]
        if character == "[":
            return self._class()
        if character == "(":
            return self._group()
        if character == "\\":
            return self._escape()
        if character in "*+?":
            raise _Unreadable
        return [(_Token(character),)]

    def _escape(self) -> list[_Sequence]:
        character = self._take()
        if character in _CLASSES:
            return [(_Token(None, _CLASSES[character]),)]
        if character == "A":
            return [(_START,)]
        if character in "zZ":
            return [(_END,)]
        if character in "bB":
            return [(_GAP,)]
        if character.isalnum():
            raise _Unreadable
        return [(_Token(character),)]

    def _group(self) -> list[_Sequence]:
        if self._peek("*"):
            raise _Unreadable
        zero_width = next((mark for mark in _ZERO_WIDTH if self._peek(mark)), "")
        atomic = self._peek("?>")
        if zero_width:
            self.at += len(zero_width)
        elif self._peek("?:") or atomic:
            self.at += 2
        elif self._peek("?"):
            end = self.pattern.find("'" if self._peek("?'") else ">", self.at + 2)
            if not self.pattern.startswith(("?<", "?P<", "?'"), self.at) or end < 0:
                raise _Unreadable
            self.at = end + 1
        found = self._alternatives()
        if self._take() != ")":
            raise _Unreadable
        if zero_width:
            return [(_GAP,)]
        return [(_GAP, *sequence) for sequence in found] if atomic else found

    def _class(self) -> list[_Sequence]:
        negated = self._peek("^")
        self.at += negated
        members: list[str] = []
        sets = ranges = False
        begin = self.at
        while not self._peek("]") or self.at == begin:
            character = self._take()
            if character == "[" and self.pattern[self.at : self.at + 1] in (":", ".", "="):
                raise _Unreadable
            if character == "\\":
                character = self._take()
                if character in _CLASSES:
                    members.append(_CLASSES[character])
                    sets = True
                    continue
                if character.isalnum() and character not in "rntf":
                    raise _Unreadable
                if character.isalnum():
                    character = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}[character]
            elif character == "-" and members and not self._peek("]"):
                ranges = True
                continue
            members.append(character)
        self.at += 1
        if negated:
            sample = next((one for one in "x1-/" if one not in members), "~")
            return [(_Token(None, sample),)]
        if sets or ranges or len(members) > _MAX_CLASS:
            return [(_Token(None, members[0]),)]
        return [(_Token(member),) for member in dict.fromkeys(members)]

    def _quantified(self, options: list[_Sequence]) -> list[_Sequence]:
        least, most = self._counts()
        if (least, most) == (1, 1):
            return options
        possessive = self._peek("+")
        if self._peek("?") or possessive:
            self.at += 1
        if (least, most) == (0, 1) and not possessive:
            return [*options, ()]
        if least == 0 or (least > 1 and len(options) > 1):
            sample = "".join(token.sample for token in options[0]) * max(least, 1)
            return [(_Token(None, sample, anything=options == [(_DOT,)] and least == 0 and most is None),)]
        count = min(least, MAX_REPEATS)
        more = () if most == count and not possessive else (_GAP,)
        return [(*(sequence * count), *more) for sequence in options]

    def _counts(self) -> tuple[int, int | None]:
        """How often the atom before has to and may stand there (None: without end)."""
        for mark, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._peek(mark):
                self.at += 1
                return counts
        if not self._peek("{"):
            return 1, 1
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at + 1 : max(end, 0)].partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()):
            return 1, 1  # a literal brace
        self.at = end + 1
        return int(low[:9]), int(high[:9]) if high else None if comma else int(low[:9])
