"""Make the test keys and certificates of the demo world again (needs the openssl binary).

    python tools/make_demo_certificates.py

Everything it writes is public: never trust these keys outside a loopback test.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "nginxlint" / "demo" / "certificates"
PAST, FUTURE = "20200101000000Z", "21200101000000Z"
MARK = "# Public test key of the nginxlint demo. Do not trust it. Made by tools/make_demo_certificates.py.\n"

# file, subject name, SAN (empty: none), start, end, issuer (empty: self-signed)
LEAVES = (
    ("good", "good.demo.test", "DNS:demo.test,DNS:*.demo.test", PAST, FUTURE, "ca"),
    ("wrong-name", "other.example.test", "DNS:other.example.test", PAST, FUTURE, "ca"),
    ("expired", "good.demo.test", "DNS:demo.test,DNS:*.demo.test", PAST, "20210101000000Z", "ca"),
    ("future", "good.demo.test", "DNS:demo.test,DNS:*.demo.test", "21100101000000Z", FUTURE, "ca"),
    ("name-in-subject-only", "app.demo.test", "", PAST, FUTURE, "ca"),
    ("address", "127.0.0.1", "IP:127.0.0.1,IP:::1", PAST, FUTURE, "ca"),
    ("unknown-issuer", "good.demo.test", "DNS:demo.test,DNS:*.demo.test", PAST, FUTURE, "other-ca"),
    ("self-signed", "good.demo.test", "DNS:demo.test,DNS:*.demo.test", PAST, FUTURE, ""),
    ("client", "nginx client of demo.test", "", PAST, FUTURE, "ca"),
)
AUTHORITIES = (("ca", "nginxlint demo CA (test only)"), ("other-ca", "another demo CA (test only)"))

SETTINGS = """
[ca]
default_ca = demo
[demo]
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = anything
unique_subject = no
x509_extensions = leaf
copy_extensions = copy
[anything]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


def main() -> int:
    """Write every key and certificate."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "index.txt").touch()
        (work / "serial").write_text("1000\n")
        settings = work / "openssl.cnf"
        settings.write_text(SETTINGS.format(folder=work))
        for authority, subject in AUTHORITIES:
            _request(work, authority, subject, "")
            _sign(work, settings, authority, "", PAST, FUTURE, "authority")
        for leaf, subject, san, start, end, issuer in LEAVES:
            _request(work, leaf, subject, san)
            _sign(work, settings, leaf, issuer, start, end, "leaf")
        for authority, _ in AUTHORITIES:
            _publish(FOLDER / f"{authority}.pem", work / f"{authority}.crt")
        for leaf, *_ in LEAVES:
            _publish(FOLDER / f"{leaf}.pem", work / f"{leaf}.crt", work / f"{leaf}.key")
    return 0


def _request(work: Path, name: str, subject: str, san: str) -> None:
    key, csr = work / f"{name}.key", work / f"{name}.csr"
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    extra = ["-addext", f"subjectAltName={san}"] if san else []
    _openssl("req", "-new", "-key", str(key), "-subj", f"/CN={subject}", "-out", str(csr), *extra)


def _sign(work: Path, settings: Path, name: str, issuer: str, start: str, end: str, extensions: str) -> None:
    by = ["-selfsign", "-keyfile", str(work / f"{name}.key")]
    if issuer:
        by = ["-cert", str(work / f"{issuer}.crt"), "-keyfile", str(work / f"{issuer}.key")]
    period = ["-startdate", start, "-enddate", end]
    paths = ["-in", str(work / f"{name}.csr"), "-out", str(work / f"{name}.crt")]
    _openssl("ca", "-batch", "-notext", "-config", str(settings), "-extensions", extensions, *period, *paths, *by)


def _publish(target: Path, *parts: Path) -> None:
    target.write_text(MARK + "".join(part.read_text() for part in parts))


def _openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"openssl {words[0]} failed: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
