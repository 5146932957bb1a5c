"""Certificates made on the spot, with openssl, by an authority of the test's own."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl") or ""


class Authority:
    """An authority in a folder: `issue` makes NAME.pem and NAME.key there, signed by ca.pem."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._openssl("req", "-x509", *_new_key("ec"), "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")

    def issue(
        self,
        name: str,
        *alternative_names: str,
        days: tuple[float, float] = (-1, 90),
        common_name: str = "subject",
        key: str = "ec",
    ) -> Path:
        """A certificate for these alternative names (`DNS:a.test`, `IP:192.0.2.1`), valid from and until so many days from
        now."""
        file = self.folder / f"{name}.pem"
        self._openssl("req", *_new_key(key), "-keyout", f"{name}.key", "-out", "request", "-subj", f"/CN={common_name}")
        names = f"subjectAltName={','.join(alternative_names)}\n" if alternative_names else "\n"
        (self.folder / "settings").write_text(
            f"[ca]\nrand_serial=yes\ndatabase={self.folder}/index\n[any]\ncommonName=supplied\n[ext]\n{names}"
        )
        (self.folder / "index").write_text("")
        dates = [
            argument
            for option, day in zip(("-startdate", "-enddate"), days, strict=True)
            for argument in (option, _time(day))
        ]
        self._openssl(
            "ca", "-batch", "-notext", "-config", "settings", "-name", "ca", "-policy", "any", "-extensions", "ext",
            "-md", "sha256", "-outdir", ".", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "request",
            "-out", file.name, *dates,
        )  # fmt: skip
        return file

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(
            [OPENSSL, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr


def _new_key(kind: str) -> tuple[str, ...]:
    return (
        ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        if kind == "ec"
        else ("-newkey", kind, "-nodes")
    )


def _time(days: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    return moment.strftime("%Y%m%d%H%M%SZ")
