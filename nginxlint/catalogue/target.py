"""Which nginx a configuration is judged for: its version, its modules, open source or Plus."""

from __future__ import annotations

from nginxlint.expressions import compiled

Version = tuple[int, int, int]

# The newest nginx the catalogue knows; taken where nothing says which nginx will run the configuration.
NEWEST: Version = (1, 31, 5)
# From this version on servers of stream share sockets by name, and set up TLS as those of http do.
STREAM_LIKE_HTTP: Version = (1, 25, 5)

_VERSION = r"nginx(?:/|\s+version:\s*)?(?:\w+/)?(\d+)\.(\d+)\.(\d+)"


class Target:
    """The nginx that will read the configuration.

    `modules` are names of nginx modules (`ngx_http_ssl_module`) and of third-party repositories
    (`openresty/echo-nginx-module`) that it has; None = unknown: every known module is taken to be there.
    `plus`: it is NGINX Plus. `options` are the arguments of its `configure`, where they are known. `strangers` are
    modules it has that the catalogue does not know: their directives cannot be told from typos.
    """

    __slots__ = ("modules", "options", "plus", "strangers", "version")

    def __init__(
        self,
        version: Version = NEWEST,
        modules: frozenset[str] | None = None,
        *,
        plus: bool = False,
        options: tuple[str, ...] = (),
        strangers: tuple[str, ...] = (),
    ) -> None:
        self.version = version
        self.modules = modules
        self.plus = plus
        self.options = options
        self.strangers = strangers

    @classmethod
    def from_build(cls, text: str, extra_modules: frozenset[str] = frozenset()) -> Target | None:
        """Read what `nginx -V` prints. None where it is no such text."""
        version = compiled(_VERSION).search(text)
        if version is None:
            return None
        from nginxlint.catalogue.modules import added_modules, built_modules

        begin = text.find("configure arguments:")
        options = tuple(_split_options(text[begin + len("configure arguments:") :])) if begin >= 0 else ()
        added, strangers = added_modules(options)
        modules = built_modules(options) | added | extra_modules if begin >= 0 else None
        number = (int(version[1]), int(version[2]), int(version[3]))
        return cls(number, modules, plus="nginx-plus" in text, options=options, strangers=strangers)

    def with_loaded(self, files: list[str]) -> Target:
        """The same nginx with the modules of these `load_module` files."""
        from nginxlint.catalogue.modules import modules_of_files

        loaded, strangers = modules_of_files(files)
        modules = None if self.modules is None else self.modules | loaded
        return Target(
            self.version,
            modules,
            plus=self.plus,
            options=self.options,
            strangers=(*self.strangers, *strangers),
        )

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    def has(self, module: str) -> bool:
        """Does it have this module (as far as is known)?"""
        return self.modules is None or module in self.modules

    def __repr__(self) -> str:
        return f"Target({self.version_text}, {'any' if self.modules is None else len(self.modules)} modules)"


def _split_options(text: str) -> list[str]:
    """The arguments of `configure`, as the shell would split them."""
    words = compiled(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""").findall(text)
    return [word.replace("'", "").replace('"', "") for word in words]
