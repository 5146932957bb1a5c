"""Compare nginxlint with its peers and with nginx, in paired runs of whole processes.

    make bench                       # the sizes that take minutes, not hours
    python benchmarks/run.py --full  # 10,000 virtual hosts with every peer too
    python benchmarks/run.py --write docs/benchmarks.md

Every comparison runs A B A B …; the ratio is the median of the ratios of the pairs, in CPU seconds (user + system).
Before each run the configuration is read once: in the minute that the slowest peer takes a kernel short of memory drops
its files, and whoever comes next would pay for the disk.
Run it from an environment that nginxlint is installed in as users have it: what finds the modules of an editable install
doubles the start of every Python, and so of `python -c pass`. Bytecode is cached, whatever the shell says.
Peers are installed from the package index, each in an environment of its own below `--peers DIR`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

sys.path.insert(0, os.path.dirname(__file__))
from generate import generate

TINY = """events {}
http {
    upstream app { server 127.0.0.1:8080; server 127.0.0.1:8081; }
    server {
        listen 80;
        server_name example.com;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
        }
        location /static/ { root /srv; expires 1d; }
        location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; fastcgi_param SCRIPT_FILENAME $document_root$uri; }
    }
}
"""


class Cost:
    """What one run of a command cost: CPU seconds, peak resident MiB, exit code."""

    def __init__(self, command: Sequence[str], limit: float) -> None:
        with open(os.devnull, "wb") as null:
            process = subprocess.Popen(command, stdout=null, stderr=null)
            begin = time.monotonic()
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() - begin > limit:
                    process.kill()
                    os.waitpid(process.pid, 0)
                    raise TimeoutError(f"{command[0]} had not finished after {limit:.0f} s")
                time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        self.code = process.returncode


def recall(root: str) -> None:
    """Read everything beside and below the root of a configuration."""
    for folder, _, names in os.walk(os.path.dirname(root)) if root else ():
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                file.read()


def paired(
    ours: Sequence[str], theirs: Sequence[str], rounds: int, limit: float, root: str
) -> tuple[Cost, Cost, float]:
    """The median cost of each and the median of theirs ÷ ours over `rounds` pairs, about the configuration `root`."""
    pairs = []
    for _ in range(rounds):
        recall(root)
        a = Cost(ours, limit)
        recall(root)
        pairs.append((a, Cost(theirs, limit)))
    ratio = statistics.median(b.cpu / a.cpu for a, b in pairs)
    middle = rounds // 2
    return (
        sorted((a for a, _ in pairs), key=lambda cost: cost.cpu)[middle],
        sorted((b for _, b in pairs), key=lambda cost: cost.cpu)[middle],
        ratio,
    )


def peer(name: str, folder: str) -> str:
    """The executable of a peer, installed in an environment of its own on first use; empty where it cannot be had."""
    home = os.path.join(folder, name)
    script = os.path.join(home, "bin", {"gixy-next": "gixy", "gixy-ng": "gixy"}.get(name, name))
    if not os.path.exists(script):
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        run = subprocess.run(
            [os.path.join(home, "bin", "pip"), "install", "-q", name], check=False, capture_output=True
        )
        if run.returncode:
            return ""
    return script if os.path.exists(script) else ""


class Table:
    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []

    def add(self, size: str, other: str, ours: Cost, theirs: Cost, ratio: float, must: str) -> None:
        row = (size, other, f"{ours.cpu:.3f}", f"{ours.peak:.0f}", f"{theirs.cpu:.3f}", f"{theirs.peak:.0f}")
        self.rows.append((*row, f"{ratio:.2f}", must))
        print("  ".join(self.rows[-1]), flush=True)

    def markdown(self) -> str:
        head = ("size", "other", "our CPU s", "our MiB", "their CPU s", "their MiB", "theirs ÷ ours", "must")
        lines = [head, tuple("---" for _ in head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Compare nginxlint with its peers.")
    parser.add_argument("--full", action="store_true", help="10,000 virtual hosts with every peer too (an hour)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default=os.path.expanduser("~/.cache/nginxlint-bench"))
    parser.add_argument("--folder", default="/tmp/nginxlint-bench")
    parser.add_argument("--write", default="", metavar="FILE", help="put the tables into this file too")
    parser.add_argument("--without-peers", action="store_true", help="only ourselves, crossplane, nginx and python")
    args = parser.parse_args(argv)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    scripts = os.path.dirname(sys.executable)
    ours = [os.path.join(scripts, "nginxlint"), "check", "-o", "concise", "--no-cache"]
    if b"--no-cache" not in subprocess.run([ours[0], "check", "--help"], capture_output=True, check=False).stdout:
        ours.remove("--no-cache")
    others = {"crossplane": [os.path.join(scripts, "crossplane"), "parse"]}
    if nginx := shutil.which("nginx") or shutil.which("/usr/sbin/nginx"):
        others["nginx -t"] = [nginx, "-t", "-c"]
    if not args.without_peers:
        for name in ("gixy-next", "gixy-ng"):
            if script := peer(name, args.peers):
                others[name] = [script]
    tiny = os.path.join(args.folder, "tiny", "nginx.conf")
    os.makedirs(os.path.dirname(tiny), exist_ok=True)
    with open(tiny, "w", encoding="utf-8") as file:
        file.write(TINY)
    roots = {"tiny": tiny}
    for size in (100, 1000, 10000):
        roots[str(size)] = generate(os.path.join(args.folder, str(size)), size, split=True, certificates=False)
    roots["1000 in one file"] = generate(os.path.join(args.folder, "1000-one"), 1000, split=False, certificates=False)
    for size in (1000, 10000):
        name = f"{size} with certificates"
        roots[name] = generate(os.path.join(args.folder, f"{size}-tls"), size, split=True, certificates=True)
    table = Table()

    def compare(size: str, other: str, must: str, rounds: int = args.rounds) -> None:
        command = [sys.executable, "-c", "pass"] if other == "python -c pass" else [*others.get(other, []), roots[size]]
        if len(command) < 2:
            return
        try:
            table.add(size, other, *paired([*ours, roots[size]], command, rounds, 1800, roots[size]), must)
        except TimeoutError as late:
            print(f"{size}  {other}: {late}", flush=True)

    compare("tiny", "python -c pass", ">= 0.25", 15)
    for other, must in (("gixy-next", ">= 4"), ("gixy-ng", ">= 2"), ("crossplane", ">= 1"), ("nginx -t", "")):
        compare("tiny", other, must, 9)
    for other, must in (("gixy-next", ">= 15"), ("gixy-ng", ">= 20"), ("crossplane", ">= 3"), ("nginx -t", "")):
        compare("1000", other, must)
    compare("1000 in one file", "crossplane", ">= 3")
    compare("1000 with certificates", "nginx -t", "")
    compare("10000 with certificates", "nginx -t", ">= 6", 3)
    compare("10000", "crossplane", "memory: ours <= 0.45", 3)
    compare("10000", "nginx -t", ">= 1.3", 3)
    if args.full:
        compare("10000", "gixy-next", ">= 90", 5)
    thousand, ten = (statistics.median(Cost([*ours, roots[n]], 600).cpu for _ in range(3)) for n in ("1000", "10000"))
    rows = [("our cost at 10,000 against 1,000 virtual hosts", f"{ten / thousand:.2f}", "<= 11")]
    rows += [_help(ours[0]), _warm(ours, roots["10000"], args.folder), _rules_against_parse(ours, roots["1000"])]
    forest = os.path.join(args.folder, "forest")
    for number in range(100):
        last = generate(os.path.join(forest, str(number)), 10, split=True, certificates=False)
    rows += [_changed(ours, forest, last, "100 configurations of 10 virtual hosts, one changed")]
    rows += [_changed(ours, roots["10000"], roots["10000"], "10,000 virtual hosts, one file changed")]
    lines = [("what", "ratio", "must"), ("---", "---", "---"), *rows]
    text = table.markdown() + "\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)
    print(f"\n{text}")
    if args.write:
        with open(args.write, "w", encoding="utf-8") as file:
            file.write(f"# Benchmarks\n\nMeasured with `python benchmarks/run.py --write {args.write}`: ")
            file.write(f"medians of paired runs, CPU seconds.\n\n{text}\n")
    return 0


def _help(script: str) -> tuple[str, str, str]:
    _, _, ratio = paired([sys.executable, "-c", "pass"], [script, "--help"], 15, 60, "")
    return "`nginxlint --help` against `python -c pass`", f"{ratio:.2f}", "< 2"


def _warm(ours: list[str], root: str, folder: str) -> tuple[str, str, str]:
    """An unchanged tree against the same one checked anew."""
    os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
    cached = [word for word in ours if word != "--no-cache"]
    Cost([*cached, root], 600)
    time.sleep(2.5)  # until the times of the files say all
    Cost([*cached, root], 600)
    _, _, ratio = paired([*ours, root], [*cached, root], 7, 600, root)
    return "10,000 virtual hosts, warm against cold", f"{ratio:.3f}", "<= 0.10"


def _changed(ours: list[str], root: str, file: str, what: str) -> tuple[str, str, str]:
    """A tree of which one file has changed since it was checked, against the same one checked anew."""
    cached = [word for word in ours if word != "--no-cache"]
    Cost([*cached, root], 600)
    time.sleep(2.5)
    ratios = []
    for number in range(5):
        with open(file, "a", encoding="utf-8") as changing:
            changing.write(f"# {number}\n")
        ratios.append(Cost([*cached, root], 600).cpu / Cost([*ours, root], 600).cpu)
    return f"{what}, against cold", f"{statistics.median(ratios):.2f}", ""


def _rules_against_parse(ours: list[str], root: str) -> tuple[str, str, str]:
    """All rules together against reading and parsing, as --timings has them; the costliest rules are printed."""
    ratios, last = [], ""
    for _ in range(3):
        done = subprocess.run([*ours, "--timings", root], capture_output=True, check=False, text=True)
        times = {name: float(ms) for ms, name in re.findall(r"([\d.]+) ms  (.+)", done.stderr)}
        read, _ = times.pop("read and parse"), times.pop("catalogue")
        ratios.append(sum(times.values()) / read)
        last = "\n".join(f"{ms:9.2f} ms  {name}" for name, ms in list(times.items())[:15])
    print(f"\nper rule, the costliest:\n{last}")
    return "all rules together against the parse", f"{statistics.median(ratios):.2f}", "<= 1.0"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
