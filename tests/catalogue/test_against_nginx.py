"""The catalogue check against the installed nginx, for every directive that it knows: right and wrong contexts, right
and wrong numbers of arguments, good and bad values, block or not, repeated; and every variable.

A seeded sample by default; NGINXLINT_FULL=1 runs all of it (about ten thousand configurations, some minutes).
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.table import DIRECTIVES, VARIABLES
from nginxlint.catalogue.target import Target
from nginxlint.catalogue.variant import Variant, variants
from nginxlint.files import Disk
from nginxlint.includes import load
from tests.catalogue.nginx import NGINX, PRELUDE, installed
from tests.catalogue.samples import BY_TYPE, SAMPLES, TEMPLATES

pytestmark = pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")

FULL = bool(os.environ.get("NGINXLINT_FULL"))
SAMPLED = 1500
FLOOR = 0.995
# Modules Debian ships as files that are loaded nowhere in these cases.
_NOT_LOADED = ("ngx_http_geoip_module", "ngx_stream_geoip_module", "ngx_http_perl_module", "ngx_http_image_filter_module",
               "ngx_http_xslt_filter_module")  # fmt: skip
# What only the machine can say: files, addresses, users, certificates.
_MACHINE = re.compile(
    r"failed \(|No such file|host not found|cannot load certificate|SSL_CTX|PEM_|BIO_|bind\(\)|getpwnam|getgrnam|mkdir"
    r"|is not a directory|ENGINE|ssl_ecdh_curve|could not build"
)
_EMERG = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.*?)(?: in \S+:(\d+))?$", re.M)


def target() -> Target:
    said = subprocess.run([NGINX, "-V"], capture_output=True, text=True, check=True).stderr
    found = Target.from_build(said)
    assert found is not None and found.modules is not None
    return Target(found.version, found.modules - set(_NOT_LOADED), options=found.options)


def ours(text: str, judged_for: Target) -> tuple[str, int | None]:
    """The first refusal: message and line; ("", None) where nothing is refused."""
    loaded = load(Disk("/nonexistent"), "nginx.conf", text)
    first = [refusal for refusal in check(loaded.main, judged_for) if refusal.blocks_start]
    for refusal in sorted(
        first, key=lambda one: (one.met_at is None, one.met_at.start if one.met_at else 0, one.order)
    ):
        return refusal.nginx_message or "", refusal.nginx_at.line if refusal.nginx_at else None
    return "", None


class Judge:
    """`nginx -t` in one folder, two at a time."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, numbered: tuple[int, str]) -> tuple[str, int | None]:
        number, text = numbered
        path = f"{self.folder}/{number}.conf"
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(PRELUDE + text)
        done = subprocess.run(
            [NGINX, "-t", "-c", path, "-p", self.folder, "-e", "stderr", "-g", f"pid {self.folder}/pid;"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
        os.unlink(path)
        if done.returncode == 0:
            return "", None
        found = _EMERG.search(done.stderr)
        if found is None:  # [alert], [crit]: what the machine lacks
            return "failed (by the machine)", None
        return found[1], int(found[2]) if found[2] else None


def statement(name: str, arguments: str, block: bool) -> str:
    return " ".join(part for part in (name, arguments) if part) + (" {}" if block else ";")


def good_arguments(variant: Variant, place: str) -> str:
    """Arguments the directive takes, as far as they are known."""
    if variant.name == "proxy_pass" and place.startswith("stream"):
        return "127.0.0.1:1"
    if (variant.name == "server" and variant.block) or not variant.counts >> 1:
        return ""
    if variant.range[0]:
        return str(variant.range[0])
    if variant.name in SAMPLES:
        return SAMPLES[variant.name]
    if variant.values:
        return variant.values[0]
    return BY_TYPE.get(variant.value_type, "x")


def cases(judged_for: Target) -> list[str]:
    texts = []
    for name in DIRECTIVES.names():
        present = [
            variant
            for variant in variants(name, judged_for)
            if not variant.why_absent and variant.kind in ("core", "events", "http", "stream", "mail")
        ]
        allowed = {place: variant for variant in present for place in variant.contexts if place in TEMPLATES}
        if not allowed or name in ("include", "load_module"):
            continue
        for place, template in TEMPLATES.items():
            variant = allowed.get(place)
            if place == "main" and name == "events":
                template = "%s\n"
            if variant is None:
                texts.append(template % statement(name, "x", False))
                continue
            good = good_arguments(variant, place)
            right = statement(name, good, variant.block)
            texts.append(template % right)
            texts.append(template % f"{right}\n{right}")
            texts.append(template % statement(name, good, not variant.block))
            texts += [template % statement(name, " ".join("x" * count), variant.block) for count in (0, 1, 2, 3, 4, 8)]
            texts.append(template % statement(name, "-1", variant.block))
            texts.append(template % statement(name, "10MB", variant.block))
    return texts


def compare(texts: list[str], folder: str, judged_for: Target) -> tuple[int, list[str]]:
    """How many could be compared, and the differences."""
    compared, differences = 0, []
    with ThreadPoolExecutor(2) as pool:
        for text, (message, line) in zip(texts, pool.map(Judge(folder), enumerate(texts)), strict=True):
            if _MACHINE.search(message):
                continue
            compared += 1
            we, our_line = ours(text, judged_for)
            if (we, our_line) != (message, line):
                differences.append(f"{text!r}\n    nginx: {message} :{line}\n    we:    {we} :{our_line}")
    return compared, differences


def sample(texts: list[str]) -> list[str]:
    return texts if FULL else random.Random(3).sample(texts, SAMPLED)


def test_directives_are_judged_as_the_installed_nginx_judges_them(tmp_path):
    judged_for = target()
    compared, differences = compare(sample(cases(judged_for)), str(tmp_path), judged_for)
    assert compared >= (8000 if FULL else 1200)
    shown = "\n".join(differences[:400])
    assert len(differences) <= (1 - FLOOR) * compared, f"{len(differences)} of {compared}:\n{shown}"


def test_every_variable_is_known_exactly_where_the_installed_nginx_knows_it(tmp_path):
    judged_for = target()
    texts = []
    for name in VARIABLES.names():
        for row in VARIABLES.rows(name):
            whole = name + ("zz" if row.get("prefix") else "")
            body = f'server {{ listen 127.0.0.1:8099; return {"200 " if row["context"] == "http" else ""}"${{{whole}}}"; }}'
            texts.append(f"events {{}}\n{row['context']} {{\n{body}\n}}\n")
    compared, differences = compare(texts if FULL else random.Random(5).sample(texts, 150), str(tmp_path), judged_for)
    assert compared >= 100
    assert len(differences) <= (1 - FLOOR) * compared, "\n".join(differences)
