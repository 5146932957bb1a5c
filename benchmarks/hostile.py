"""What files made to hurt cost: python benchmarks/hostile.py [--megabytes 10] [SHAPE ...]

Every shape is written to a temporary folder and checked by a process of its own. Prints CPU seconds and peak MiB; exit code 1
where one needs more than 20 s of CPU or 1 GiB, or ends otherwise than with a report (exit codes 0, 1 and 3).
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from random import Random

SECONDS, MEBIBYTES = 20, 1024
HTTP = "events {} http { "
SERVER = HTTP + "server { listen 80; "


def _repeat(head: str, line: str, tail: str) -> Callable[[int], bytes]:
    """`line` again and again (`{n}` is its number, `{m}` the next), as much as fits."""

    def build(size: int) -> bytes:
        left = size - len(head) - len(tail)
        return (head + "".join(_lines(line, left)) + tail).encode()

    return build


def _lines(line: str, left: int) -> Iterator[str]:
    for n in itertools.count():
        text = line.replace("{n}", str(n)).replace("{m}", str(n + 1)).replace("{p}", str(n % 60000 + 1))
        left -= len(text)
        if left < 0:
            return
        yield text


def _nested(opening: str, closing: str) -> Callable[[int], bytes]:
    def build(size: int) -> bytes:
        count = size // (len(opening) + len(closing))
        return (HTTP + opening * count + closing * count + "}").encode()

    return build


SHAPES: dict[str, Callable[[int], bytes]] = {
    "one-line": _repeat(SERVER, "add_header X-A b; ", "} }"),
    "one-word": lambda size: (SERVER + "root " + "a" * size + "; } }").encode(),
    "simple-directives": _repeat(SERVER, "set $a b;\n", "} }"),
    "deep": _nested("a {", ""),
    "deep-locations": _nested("location /a { ", "}"),
    "server-names": _repeat(SERVER + "server_name", " h{n}.example.test", "; location / { proxy_pass http://127.0.0.1:1; } } }"),
    "servers": _repeat(HTTP, "server { listen 80; server_name h{n}.test; location / { proxy_pass http://b:1; } }\n", "}"),
    "listens": _repeat(HTTP, "server { listen 127.0.0.1:{p}; location / { proxy_pass http://127.0.0.1:{p}; } }\n", "}"),
    "regexes-exploding": _repeat(SERVER, "location ~ ^/(a+)+{n}$ { return 200; }\n", "location / { proxy_pass http://a; } } }"),
    "regexes-alike": _repeat(SERVER, "location ~ \\.(jpg|png|f{n})$ { expires 1d; }\n", "location / { proxy_pass http://a; } } }"),
    "locations": _repeat(SERVER, "location /a{n}/ { proxy_pass http://127.0.0.1:{p}/; }\n", "} }"),
    "nested-locations": _repeat(
        SERVER, "location /a{n}/ { location /a{n}/b/ { proxy_pass http://a; } location ~ \\.x$ { } }\n", "} }"
    ),
    "upstreams": _repeat(HTTP, "upstream u{n} { server 10.0.0.1:{p}; }\n", " server { location / { proxy_pass http://u1; } } }"),
    "names-nearly-alike": _repeat(
        HTTP, "upstream backend{n} { server a{n}; } server { location / { proxy_pass http://backnd{n}; } }\n", "}"
    ),
    "maps-in-a-chain": _repeat(
        HTTP, "map $v{n} $v{m} { default $v{n}x; a $v{n}; }\n", " server { location / { proxy_pass http://$v9; } } }"
    ),
    "map-of-variables": _repeat(HTTP + "map $a $b { ", "k{n} $v{n};\n", "} }"),
    "geo": _repeat(HTTP + "geo $a { ", "10.{n}.0.0/16 {n};\n", "} }"),
    "rewrites": _repeat(SERVER + "location / { ", "rewrite ^/a{n}/(.*)$ /b{n}/$1 last;\n", "} } }"),
    "ifs": _repeat(SERVER + "location / { ", "if ($arg_a = {n}) { return 301 /x{n}; }\n", "} } }"),
    "error-pages": _repeat(SERVER, "error_page 404 /e{n}.html; location = /e{n}.html { proxy_pass http://a; }\n", "} }"),
    "try-files": _repeat(SERVER + "root /x; ", "location /t{n}/ { try_files $uri /t{m}/; }\n", "} }"),
    "request-headers": _repeat(SERVER + "location / { proxy_pass http://a; ", "proxy_set_header X-{n} $host;\n", "} } }"),
    "unknown-directives": _repeat("", "drective{n} x;\n", ""),
    "unknown-variables": _repeat(SERVER, "add_header X{n} $nope{n};\n", "} }"),
    "long-numbers": _repeat(SERVER, f"location /{{n}}/ {{ proxy_pass http://a:{'9' * 5000}; }}\n", "} }"),
    "quotes": lambda size: HTTP.encode() + b'"' * size,
    "quote-never-closed": _repeat(SERVER + 'root "', '\\"x ', ""),
    "braces": lambda size: b"}" * size,
    "semicolons": lambda size: b";" * size,
    "comments": lambda size: b"#\n" * (size // 2),
    "suppressions": _repeat("", "# nginxlint: ignore[proxy] - because\n", HTTP + "}"),
    "other-letters": _repeat(SERVER, "ä ö ü ß; ", "} }"),
    "lua-never-closed": _repeat("http { content_by_lua_block {", "{ '", ""),
    "zeros": lambda size: b"\0" * size,
    "random-bytes": lambda size: Random(1).randbytes(size),
}  # fmt: skip


class Cost:
    """What checking one path cost: CPU seconds, peak MiB, exit code (negative: killed by a signal)."""

    def __init__(self, path: str) -> None:
        command = [sys.executable, "-m", "nginxlint", "check", "--no-cache", "--no-config", "-o", "concise", path]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_limited,
            cwd=os.path.dirname(path),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = self.code = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024

    @property
    def fine(self) -> bool:
        return self.code in (0, 1, 3) and self.cpu <= SECONDS and self.peak <= MEBIBYTES


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 10, SECONDS + 10))


def includes(folder: str, count: int) -> str:
    """A root file that includes `count` small files, one by one and by a pattern; its path."""
    os.mkdir(os.path.join(folder, "d"))
    for number in range(count):
        with open(os.path.join(folder, "d", f"{number}.conf"), "w", encoding="ascii") as file:
            file.write(f"server {{ listen 80; server_name i{number}.test; }}\n")
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="ascii") as file:
        lines = "".join(f"include d/{number}.conf;\n" for number in range(0, count, 2))
        file.write(f"events {{}}\nhttp {{\ninclude d/*.conf;\n{lines}}}\n")
    return path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="What files made to hurt cost.")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"of {', '.join(SHAPES)}, includes")
    parser.add_argument("--megabytes", type=float, default=10.0)
    args = parser.parse_args(argv)
    bad = 0
    print(f"| shape ({args.megabytes:g} MB) | CPU s | peak MiB | exit code |\n|---|---|---|---|")
    for name in args.shapes or (*SHAPES, "includes"):
        with tempfile.TemporaryDirectory() as folder:
            if name == "includes":
                path = includes(folder, 100_000)
            else:
                path = os.path.join(folder, f"{name}.conf")
                with open(path, "wb") as file:
                    file.write(SHAPES[name](int(args.megabytes * 1e6)))
            cost = Cost(path)
        bad += not cost.fine
        mark = "" if cost.fine else " **too much**"
        print(f"| {name} | {cost.cpu:.1f} | {cost.peak:.0f} | {cost.code}{mark} |", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
