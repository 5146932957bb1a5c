"""Completion scripts: they know every command and option, and bash does with one what a person expects."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from nginxlint.cli.arguments import check_parser
from nginxlint.cli.completions import SHELLS
from nginxlint.cli.main import COMMANDS, main


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completions", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command_and_every_option_of_check(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert all(command in text for command in COMMANDS)
    names = [name for action in check_parser()._actions for name in action.option_strings if name.startswith("--")]
    assert all((name[2:] if shell == "fish" else name) in text for name in names)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("nginxlint", "ch"), {"check"}),
        (("nginxlint", "check", "--onl"), {"--online"}),
        (("nginxlint", "check", "--profile", "s"), {"strict", "security"}),
        (("nginxlint", "check", "--profile", "=", "s"), {"strict", "security"}),
        (("nginxlint", "check", "--probe-level", "="), {"dns", "tcp", "tls", "http"}),
        (("nginxlint", "completions", "f"), {"fish"}),
        (("nginxlint", "check", "ngin"), set()),
    ],
)
def test_bash_completes(words: tuple[str, ...], wanted: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    typed = " ".join(f"'{word}'" for word in words)
    ask = f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _nginxlint; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", script("bash", capsys) + ask], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == wanted


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed: its script is not parsed")
def test_zsh_can_read_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    text = script("zsh", capsys)
    subprocess.run(["zsh", "-n"], input=text, text=True, check=True)
    assert "'*--profile=[" in text
    assert "'*--online[" in text


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed: its script is not parsed")
def test_fish_can_read_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["fish", "--no-execute"], input=script("fish", capsys), text=True, check=True)


def test_an_unknown_shell_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", "tcsh"]) == 2
    assert "bash, fish, zsh" in capsys.readouterr().err
