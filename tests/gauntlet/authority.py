"""Certificates made on the spot, with openssl: chains, dates and revocations that no file in a repository can hold."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

OPENSSL = shutil.which("openssl")
_NAME = "subjectAltName=DNS:app.demo.test"
_CA = "basicConstraints=CA:TRUE"
_DAY = 86_400

# name → (who signs, valid from and until in days from now, what it says)
_CERTIFICATES: dict[str, tuple[str, int, int, str]] = {
    "root": ("root", -9, 99, _CA),
    "stranger": ("stranger", -9, 99, _CA),
    "between": ("root", -9, 99, _CA),
    "deeper": ("between", -9, 99, _CA),
    "old-between": ("root", -9, -1, _CA),
    "no-authority": ("root", -9, 99, "basicConstraints=CA:FALSE"),
    "leaf": ("root", -9, 99, _NAME),
    "revoked": ("root", -9, 99, _NAME),
    "old": ("root", -9, -1, _NAME),
    "any-name": ("root", -9, 99, "subjectAltName=DNS:*.demo.test"),
    "other-name": ("root", -9, 99, "subjectAltName=DNS:www.demo.test"),
    "for-clients": ("root", -9, 99, _NAME + "\nextendedKeyUsage=clientAuth"),
    "below": ("between", -9, 99, _NAME),
    "old-below": ("between", -9, -1, _NAME),
    "far-below": ("deeper", -9, 99, _NAME),
    "below-old": ("old-between", -9, 99, _NAME),
    "below-none": ("no-authority", -9, 99, _NAME),
    "self-old": ("self-old", -9, -1, _NAME),
    "self-early": ("self-early", 1, 99, _NAME),
    "strange": ("stranger", -9, 99, _NAME),
    "strange-old": ("stranger", -9, -1, _NAME),
    "strange-early": ("stranger", 1, 99, _NAME),
}
# what servers show besides their own certificate
_CHAINS = {
    "below-whole": ("below", "between"),
    "old-below-whole": ("old-below", "between"),
    "far-below-whole": ("far-below", "deeper", "between"),
    "far-below-gap": ("far-below", "deeper"),
    "below-wrong": ("below", "stranger"),
    "below-old-whole": ("below-old", "old-between"),
    "below-none-whole": ("below-none", "no-authority"),
}
SHOWN = (*_CERTIFICATES, *_CHAINS)
"""The names a server can show (a `.pem` with its key each)."""
_SETTINGS = """
[ca]
default_ca = tests
[tests]
database = index
crlnumber = number
new_certs_dir = .
rand_serial = yes
default_md = sha256
default_crl_days = 9
unique_subject = no
policy = any
[any]
commonName = supplied
"""


def path(name: str) -> str:
    """The file of a certificate (`leaf.crt`), of one with its key and chain (`leaf.pem`) or of a list (`empty.crl`)."""
    return str(_folder() / name)


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nginxlint-authority-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # nginx's workers read them too
    (folder / "settings").write_text(_SETTINGS)
    (folder / "index").write_text("")
    (folder / "number").write_text("01\n")
    for name, (issuer, begins, ends, says) in _CERTIFICATES.items():
        (folder / "says").write_text(says)
        subject = f"/CN={name}" if says.startswith("basic") else "/CN=app.demo.test"
        _run(
            folder,
            f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out request -subj {subject}",
        )
        signer = f"-selfsign -keyfile {name}.key" if issuer == name else f"-cert {issuer}.crt -keyfile {issuer}.key"
        dates = f"-startdate {_date(begins)} -enddate {_date(ends)}"
        _run(folder, f"ca -batch -notext -config settings {signer} -in request -out {name}.crt {dates} -extfile says")
    for name in SHOWN:
        parts = _CHAINS.get(name, (name,))
        files = [*(f"{part}.crt" for part in parts), f"{parts[0]}.key"]
        (folder / f"{name}.pem").write_text("".join((folder / file).read_text() for file in files))
    for name in ("empty", "full"):
        _run(folder, f"ca -config settings -gencrl -cert root.crt -keyfile root.key -out {name}.crl")
        _run(folder, "ca -config settings -revoke revoked.crt -cert root.crt -keyfile root.key")
    return folder


def _run(folder: Path, words: str) -> None:
    assert OPENSSL is not None
    done = subprocess.run(
        [OPENSSL, *words.split()], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode and "Already revoked" not in done.stderr:
        raise AssertionError(f"openssl {words}: {done.stderr}")


def _date(days: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * _DAY))
