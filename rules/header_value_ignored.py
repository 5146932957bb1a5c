from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule

# What was meant, and what browsers are told by it.
_MEANT = {
    "strict-transport-security": ("max-age=31536000; includeSubDomains", "to come back over TLS only"),
    "x-frame-options": ("SAMEORIGIN", "not to show the page in frames of other sites"),
    "x-content-type-options": ("nosniff", "not to guess types"),
    "referrer-policy": ("strict-origin-when-cross-origin", "what to send as Referer"),
}
_VALUES = {
    "x-frame-options": frozenset(("deny", "sameorigin")),
    "x-content-type-options": frozenset(("nosniff",)),
    "referrer-policy": frozenset(
        "no-referrer no-referrer-when-downgrade origin origin-when-cross-origin same-origin strict-origin"
        " strict-origin-when-cross-origin unsafe-url".split()
    ),
}


class HeaderValueIgnored(Rule):
    """A header that shall protect visitors has a value that browsers do not understand: they ignore it.

    `Strict-Transport-Security "max-age=31536000, includeSubDomains"` is separated by the wrong sign, `X-Frame-Options` no longer
    knows `ALLOW-FROM` (write `Content-Security-Policy "frame-ancestors https://a.test"`), and `X-Content-Type-Options` knows
    `nosniff` only. The header is sent, tests of its presence pass, and nobody is protected.
    Source: RFC 6797, 6.1; HTML standard, "X-Frame-Options"; Fetch standard, nosniff; Referrer Policy.
    """

    id = "header-value-ignored"
    group = "security"
    directives = ("add_header",)
    texts = tuple(f"\0{name}\0" for name in _MEANT)
    examples = (
        Bad('add_header Strict-Transport-Security "max-age=31536000, includeSubDomains"; # here'),
        Bad("server {\n add_header Strict-Transport-Security includeSubDomains always; # here\n}"),
        Bad('server {\n add_header X-Frame-Options "ALLOW-FROM https://a.test"; # here\n}'),
        Bad("server {\n add_header X-Content-Type-Options no-sniff always; # here\n}"),
        Bad("server {\n add_header Referrer-Policy none; # here\n}"),
        Good('add_header Strict-Transport-Security "max-age=31536000; includeSubDomains; preload" always;'),
        Good("add_header strict-transport-security 'max-age=\"31536000\";';"),
        Good("add_header Strict-Transport-Security max-age=0;"),
        Good(
            'add_header X-Frame-Options "ALLOW-FROM https://a.test"; add_header Content-Security-Policy "frame-ancestors a.test";'
        ),
        Good("add_header X-Frame-Options ALLOWALL;"),
        Good('add_header Referrer-Policy "no-referrer, of-the-future";'),
        Good("add_header Strict-Transport-Security $hsts; add_header X-Frame-Options '';"),
        Good("add_header X-Frame-Options SameOrigin always; add_header X-Content-Type-Options nosniff;"),
        Good('add_header Referrer-Policy "no-referrer, strict-origin-when-cross-origin";'),
        Good('add_header Strict-Transport-Security "includeSubDomains; max-age = 63072000";'),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for line in config.saying(_is_ignored, "add_header"):
            name, value = line.values[:2]
            beside = line.parent.children("add_header") if line.parent is not None else ()
            if name.lower() == "x-frame-options" and any(_is_policy_of_frames(one.values) for one in beside):
                continue  # kept for browsers that know no policy
            meant, told = _MEANT[name.lower()]
            yield self.report(
                line.args[1],
                f'browsers ignore {name} "{value}": they are not told {told}',
                help=f'write "{meant}"',
            )


def _is_ignored(values: tuple[str, ...]) -> bool:
    if len(values) < 2 or not values[1].strip() or any(mark in values[1] for mark in "${<@%_"):
        return False
    name, value = values[0].lower(), values[1].lower().strip()
    if name == "strict-transport-security":
        return not _is_hsts(value)
    known = _VALUES.get(name)
    if known is None or (name == "x-frame-options" and ("," in value or value.startswith("allowall"))):
        return False
    said = [part.strip() for part in value.split(",")]
    # of several policies browsers take the last one they know
    return known.isdisjoint(said if name == "referrer-policy" else said[:1])


def _is_policy_of_frames(values: tuple[str, ...]) -> bool:
    return (
        len(values) > 1
        and values[0].lower() == "content-security-policy"
        and ("frame-ancestors" in values[1].lower() or "$" in values[1])
    )


def _is_hsts(value: str) -> bool:
    parts = [part.partition("=")[::2] for part in value.split(";")]
    ages = [age.strip().strip('"') for name, age in parts if name.strip() == "max-age"]
    return len(ages) == 1 and ages[0].isdigit()  # of a comma further on only some browsers take notice
