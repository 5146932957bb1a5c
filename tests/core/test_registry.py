"""Rules come from the package, from installed plugins and from local folders, and no two share an id."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nginxlint.error import NginxlintError
from nginxlint.registry import all_rules
from nginxlint.testing import check_rule

PLUGIN = '''
from collections.abc import Iterator

from nginxlint import Bad, Diagnostic, Directive, Good, Rule


class NoRawIp(Rule):
    """A plugin rule."""

    id = "{id}"
    directives = ("proxy_pass",)
    examples = (Bad("location / {{ proxy_pass http://10.0.0.1; }} # here"), Good("location / {{ proxy_pass http://app; }}"))

    def check_directive(self, target: Directive) -> Iterator[Diagnostic]:
        if "10.0.0.1" in target.args[0].text:
            yield self.report(target.args[0].span, "raw address")
'''


def test_a_local_folder_adds_its_rules(tmp_path: Path) -> None:
    (tmp_path / "no_raw_ip.py").write_text(PLUGIN.format(id="no-raw-ip"))
    entries = all_rules([str(tmp_path)])
    check_rule(entries["no-raw-ip"].load())
    assert "alias-traversal" in entries


def test_a_second_rule_of_the_same_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN.format(id="alias-traversal"))
    with pytest.raises(NginxlintError, match="two rules are called alias-traversal"):
        all_rules([str(tmp_path)])


def test_a_broken_rule_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(NginxlintError, match=r"broken\.py cannot be loaded: division by zero"):
        all_rules([str(tmp_path)])


def test_an_installed_package_adds_its_rules_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_rules.py").write_text(PLUGIN.format(id="acme-raw-ip"))
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nginxlint.rules]\nacme = acme_rules\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "acme-raw-ip" in all_rules()
    sys.modules.pop("acme_rules", None)
