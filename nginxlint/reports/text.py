"""Text for people: what a terminal must never get, widths, colours, links, plurals."""

from __future__ import annotations

# Marks that change the direction or the look of text around them, and separators some terminals obey.
_TREACHEROUS = frozenset(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x061C, 0x2028, 0x2029, 0xFEFF, 0x00AD]
)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "secondary": "34",
    "dim": "2",
    "bold": "1",
    "help": "32",
}
_ASCII = {"›": ">", "…": "...", "–": "-", "—": "-", "·": "-", "→": "->", "‘": "'", "’": "'", "“": '"', "”": '"'}


def shown(character: str) -> str:
    """One character as it may be printed."""
    if " " <= character <= "~":
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if code in _TREACHEROUS or 0xD800 <= code <= 0xDFFF or 0xE0000 <= code <= 0xE007F:
        return f"\\u{code:04x}"
    return character


def visible(text: str) -> str:
    """`text` with everything a terminal would obey, and everything that cannot be encoded, written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(shown, text))


def encodable(text: str) -> str:
    """Without lone surrogates, which are no characters: a byte that was not UTF-8 is written as its escape."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def encodable_document(value: object) -> object:
    """The same for every text in a JSON document."""
    if isinstance(value, dict):
        return {encodable_document(key): encodable_document(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encodable_document(item) for item in value]
    return encodable(value) if isinstance(value, str) else value


def width_of(text: str) -> int:
    """Columns of printable text on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def wrapped(text: str, width: int) -> list[str]:
    """`text` broken at blanks into lines of at most `width` columns; a longer word stays whole."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        line = ""
        for word in paragraph.split():
            if line and width_of(line) + 1 + width_of(word) > width:
                lines.append(line)
                line = indent + word
            else:
                line = f"{line} {word}" if line else indent + word
        lines.append(line)
    return lines


def in_ascii(text: str) -> str:
    """`text` for those who can be shown nothing else."""
    if text.isascii():
        return text
    for character, plain in _ASCII.items():
        text = text.replace(character, plain)
    return text.encode("ascii", "backslashreplace").decode("ascii")


class Style:
    """How a report looks: colour or not, links or not, Unicode or ASCII, and its width in columns."""

    __slots__ = ("colour", "links", "unicode", "width")

    def __init__(self, *, colour: bool = False, links: bool = False, unicode: bool = True, width: int = 100) -> None:
        self.colour = colour
        self.links = links
        self.unicode = unicode
        self.width = width

    def paint(self, role: str, text: str) -> str:
        """`text` in the colour of its role."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.colour and text else text

    def link(self, url: str, text: str) -> str:
        """`text` as a hyperlink where the terminal is known to support it."""
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links else text

    def final(self, text: str) -> str:
        """The finished report, in ASCII where nothing else can be shown."""
        return text if self.unicode else in_ascii(text)


PLAIN = Style()
