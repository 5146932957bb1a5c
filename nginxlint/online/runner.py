"""The one file that probes from elsewhere: a zip application with a plan inside, for any Python 3.11 without packages.

It holds this package's own probing modules and dnspython, not a second, smaller prober: what it sees is what a local run
would have seen, and there is nothing to keep in step.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import zipfile

from nginxlint.error import NginxlintError
from nginxlint.online.options import Options
from nginxlint.online.recording import run_plan

PLAN_MEMBER = "plan.json"
_NEEDED = ("error.py", "source.py", "diagnostic.py", "unix_rights.py", "x509.py")
_MAIN = """\
import sys
if sys.version_info < (3, 11):
    sys.exit("this needs Python 3.11 or later, and this is %d.%d" % sys.version_info[:2])
from nginxlint.online.runner import main
sys.exit(main(sys.argv[1:], __loader__.get_data(__loader__.archive + "/plan.json").decode()))
"""


def bundle(plan: str) -> bytes:
    """The zip application: `python3 FILE > observations.json`. Raises NginxlintError where our own files are not on
    disk."""
    import dns

    from nginxlint import __version__

    own, foreign = _folder(__file__, 2), _folder(dns.__file__ or "", 1)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        archive.writestr(PLAN_MEMBER, plan)
        archive.writestr("nginxlint/__init__.py", f"__version__ = {__version__!r}\n")
        for name in _NEEDED:
            archive.write(os.path.join(own, name), f"nginxlint/{name}")
        _add_modules(archive, os.path.join(own, "online"), "nginxlint/online")
        _add_modules(archive, foreign, "dns")
    return b"#!/usr/bin/env python3\n" + data.getvalue()


def _folder(path: str, above: int) -> str:
    for _ in range(above):
        path = os.path.dirname(path)
    if not os.path.isdir(path):
        raise NginxlintError("--export-plan: the modules to pack are not files here; write the plan to a .json file")
    return path


def _add_modules(archive: zipfile.ZipFile, folder: str, name: str) -> None:
    for around, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        inside = os.path.relpath(around, folder)
        for file in sorted(files):
            if file.endswith(".py"):
                archive.write(os.path.join(around, file), os.path.normpath(os.path.join(name, inside, file)))


def main(argv: list[str], plan: str) -> int:
    """What the zip application runs. 0: observed; 2: wrong use; 3: interrupted, and only a part was observed."""
    parser = argparse.ArgumentParser(
        prog="probe",
        description="Ask what the plan inside asks (read-only) and print the observations, for nginxlint check --judge.",
    )
    add = parser.add_argument
    add("--print-plan", action="store_true", help="print the plan and send nothing")
    add("--allow", action="append", default=[], metavar="NET", help="contact this address, network or name after all")
    add("--deny", action="append", default=[], metavar="NET", help="never contact this address, network or name")
    add("--resolve", action="append", default=[], metavar="HOST:PORT:ADDR", help="take ADDR[,ADDR] for HOST")
    add("--resolver", default="", metavar="IP[:PORT]", help="ask this DNS server instead")
    add("--trace", action="store_true", help="after a connect time-out, look where packets are lost (Linux)")
    add("--timeout", type=float, metavar="SECONDS", help="at most this long to connect, and to wait for an answer")
    add("--budget", type=float, default=60.0, metavar="SECONDS", help="at most this long in all (default 60)")
    add("--concurrency", type=int, default=100, metavar="N", help="probes at a time (default 100)")
    args = parser.parse_args(argv)
    if args.print_plan:
        sys.stdout.write(plan)
        return 0
    try:
        options = Options(
            timeout=args.timeout,
            budget=args.budget,
            concurrency=args.concurrency,
            allow=tuple(args.allow),
            deny=tuple(args.deny),
            resolve=tuple(args.resolve),
            resolver=args.resolver,
            trace=args.trace,
        )
        text, whole = run_plan(plan, options)
    except NginxlintError as error:
        sys.stderr.write(f"probe: {error}\n")
        return 2
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0 if whole else 3
