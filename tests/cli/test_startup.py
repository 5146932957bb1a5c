"""What an offline check must not import: each costs as much as the whole check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import BAD, REPOSITORY

SLOW = (
    "httpx", "dns", "jinja2", "rich", "asyncio", "ssl", "dataclasses", "inspect", "logging", "importlib.metadata",
    "tomllib", "subprocess", "email", "http", "multiprocessing", "argparse", "pathlib", "typing",
)  # fmt: skip
# Together as much as a small check, each for one small thing.
COMMON = (
    "re", "enum", "functools", "collections", "collections.abc", "importlib", "warnings", "types", "copyreg",
    "operator", "keyword", "reprlib",
)  # fmt: skip
# Without `site`: what it imports (for an editable install) could hide what we do.
PROBE = """
import sys
sys.path[:0] = sys.argv[2:]
before = set(sys.modules)
from nginxlint.cli.main import main
code = main(["check", "--no-config", "nginx.conf", "-o", sys.argv[1]])
assert code == 1, code
print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""


def imported(folder: Path, format: str) -> set[str]:
    packages = folder / "packages"
    if not packages.exists():
        packages.mkdir()
        (packages / "nginxlint_rules").symlink_to(os.path.join(REPOSITORY, "rules"))
    command = [sys.executable, "-I", "-S", "-c", PROBE, format, REPOSITORY, str(packages)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_an_offline_check_imports_nothing_slow(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(
        BAD.replace(
            "alias /srv/img/",
            "proxy_pass http://localhost; # nginxlint: ignore[upstream-refused] - later\n alias /srv/img/",
        )
    )
    for format in ("full", "concise", "github", "json"):
        loaded = imported(tmp_path, format)
        assert "nginxlint.linter" in loaded
        assert sorted(loaded & set(SLOW)) == []
        if format != "json":  # whose encoder wants `re`
            assert sorted(loaded & set(COMMON)) == []
        assert not any(
            name.startswith("nginxlint.online") and name not in ("nginxlint.online", "nginxlint.online.rules")
            for name in loaded
        )


def test_the_help_imports_no_engine() -> None:
    code = "import sys; from nginxlint.cli.main import main; main(['--help']); assert 'nginxlint.cli.check' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.DEVNULL, check=True)
