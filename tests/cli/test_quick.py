"""Options that are read without argparse say what argparse would say."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nginxlint.cli.arguments import check_parser
from nginxlint.cli.options import declare
from nginxlint.cli.quick import Quick
from nginxlint.error import NginxlintError

FLAGS = [option for action in check_parser()._actions for option in action.option_strings]
WORDS = st.one_of(
    st.sampled_from(FLAGS),
    st.sampled_from(
        ["a.conf", "b", "-", "json", "never", "auto", "3", "x=y", "--", "-x", "-qv", "-ojson", "--sel", ""]
    ),
    st.builds("{}={}".format, st.sampled_from(FLAGS), st.sampled_from(["never", "", "3", "-1", "a=b"])),
)


def quick(argv: list[str]) -> dict[str, object] | None:
    parser = Quick()
    declare(parser)
    return parser.parse(argv)


@settings(max_examples=1500, deadline=None)
@given(st.lists(WORDS, max_size=5))
def test_what_is_read_quickly_is_what_argparse_reads(argv: list[str]) -> None:
    found = quick(argv)
    if found is None:
        return
    with contextlib.redirect_stdout(io.StringIO()):
        assert found == vars(check_parser().parse_args(argv))


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nginx.conf", "-o", "json", "--no-cache"],
        ["--fail-on=warning", "--select", "tls,proxy", "--select=cache", "a", "b", "-q"],
        ["--concurrency", "3", "-"],
    ],
)
def test_what_people_write_is_read_quickly(argv: list[str]) -> None:
    argv = [word for word in argv if word in FLAGS or not word.startswith("--no")]
    assert quick(argv) == vars(check_parser().parse_args(argv))


@pytest.mark.parametrize("argv", [["--help"], ["--nonsense"], ["--concurrency", "x"], ["--color", "red"], ["--root"]])
def test_help_and_mistakes_are_left_to_argparse(argv: list[str]) -> None:
    assert quick(argv) is None
    if argv != ["--help"]:
        with pytest.raises(NginxlintError):
            check_parser().parse_args(argv)
