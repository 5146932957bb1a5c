"""`python -m nginxlint` is the same as `nginxlint`."""

from nginxlint.cli.main import run

run()
