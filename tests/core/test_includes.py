"""Includes are spliced where they stand, as nginx reads them, and every trouble is on record."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from nginxlint import includes
from nginxlint.files import _CHUNK, MAX_FILE_BYTES, Disk, Dump
from nginxlint.includes import Loaded, load
from nginxlint.inputs import split_dump
from nginxlint.lexer import MAX_DEPTH
from nginxlint.source import Shelf, Source


def load_tree(folder: Path, files: dict[str, str], **options: object) -> Loaded:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    main = str(folder / "nginx.conf")
    disk = Disk(str(folder), **options)  # type: ignore[arg-type]
    return load(disk, main, (folder / "nginx.conf").read_text())


def names(loaded: Loaded) -> list[str]:
    return [" ".join((directive.name, *directive.values)) for directive in loaded.main.walk() if directive.name]


def test_an_include_is_spliced_where_it_stands(tmp_path: Path) -> None:
    loaded = load_tree(tmp_path, {"nginx.conf": "a 1;\ninclude b.conf;\nc 3;", "b.conf": "b 2;"})
    assert names(loaded) == ["a 1", "b 2", "c 3"]


def test_a_pattern_is_read_in_byte_order_and_without_dot_files(tmp_path: Path) -> None:
    files = {"nginx.conf": "include d/*.conf;", "d/b.conf": "b;", "d/a.conf": "a;", "d/B.conf": "B;", "d/.x.conf": "x;"}
    assert names(load_tree(tmp_path, files)) == ["B", "a", "b"]


def test_relative_includes_of_an_included_file_start_at_the_conf_folder(tmp_path: Path) -> None:
    files = {"nginx.conf": "include d/a.conf;", "d/a.conf": "include b.conf;", "b.conf": "top;", "d/b.conf": "wrong;"}
    assert names(load_tree(tmp_path, files)) == ["top"]


def test_a_file_included_at_two_places_has_two_parents_and_two_chains(tmp_path: Path) -> None:
    loaded = load_tree(tmp_path, {"nginx.conf": "x { include s.conf; }\ny { include s.conf; }", "s.conf": "p 1;"})
    found = [directive for directive in loaded.main.walk() if directive.name == "p"]
    assert [directive.parent.name for directive in found if directive.parent] == ["x", "y"]
    assert [[include.line for include in directive.source.include_chain()] for directive in found] == [[1], [2]]


def test_a_cycle_is_on_record_and_ends(tmp_path: Path) -> None:
    loaded = load_tree(tmp_path, {"nginx.conf": "include a.conf;", "a.conf": "a;\ninclude a.conf;"})
    assert names(loaded) == ["a"]
    assert [reason for include in loaded.includes for _, reason in include.problems] == ["includes itself"]


def test_blocks_are_as_deep_over_several_files_as_in_one(tmp_path: Path) -> None:
    deep = "\n".join(["x {"] * 150) + "\n{}\n" + "}\n" * 150
    files = {f"{number}.conf": deep.replace("{}", f"include {number + 1}.conf;") for number in range(20)}
    loaded = load_tree(tmp_path, files | {"nginx.conf": "include 0.conf;", "20.conf": "a;"})
    depth, faulty = 0, [file.source.path.rpartition("/")[2] for file in loaded.files if file.faults]
    for directive in loaded.main.walk():
        depth = max(depth, sum(1 for _ in directive.ancestors()))
    assert (depth < MAX_DEPTH, faulty) == (True, ["2.conf"])
    assert [fault.kind for file in loaded.files for fault in file.faults] == ["nesting-too-deep"]


def test_a_missing_file_is_on_record_and_an_empty_pattern_is_not(tmp_path: Path) -> None:
    loaded = load_tree(tmp_path, {"nginx.conf": "include no.conf;\ninclude no/*.conf;\na;"})
    assert names(loaded) == ["a"]
    assert [len(include.problems) for include in loaded.includes] == [1, 0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything: 1 case not tried")
def test_an_unreadable_file_is_on_record(tmp_path: Path) -> None:
    (tmp_path / "s.conf").write_text("a;")
    (tmp_path / "s.conf").chmod(0)
    loaded = load_tree(tmp_path, {"nginx.conf": "include s.conf;"})
    assert isinstance(loaded.includes[0].problems[0][1], PermissionError)


@pytest.mark.parametrize("pattern", ["", "*"])
def test_a_fifo_a_folder_and_a_giant_are_refused_without_reading(tmp_path: Path, pattern: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with open(tmp_path / "giant", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    text = "".join(f"include {name}{pattern};\n" for name in ("fifo", "folder", "giant"))
    loaded = load_tree(tmp_path, {"nginx.conf": f"{text}a;"})
    assert names(loaded) == ["a"]
    reasons = [str(include.problems[0][1]) for include in loaded.includes]
    assert ["not a regular" in reasons[0], "Is a directory" in reasons[1], "larger than" in reasons[2]] == [True] * 3


@pytest.mark.parametrize("length", [0, 1, _CHUNK - 1, _CHUNK, _CHUNK + 1, 3 * _CHUNK])
def test_a_file_a_folder_names_is_read_to_its_end(tmp_path: Path, length: int) -> None:
    (tmp_path / "a.conf").write_bytes(b"#" * length)
    (tmp_path / "b.conf").symlink_to("a.conf")
    disk = Disk(str(tmp_path))
    found = disk.find("*.conf")
    assert [disk.read(path) for path in found] == [b"#" * length] * 2
    assert [disk.identity(path) for path in found] == [os.path.realpath(found[0])] * 2


def test_the_root_option_finds_absolute_paths_below_it(tmp_path: Path) -> None:
    files = {"nginx.conf": "include /etc/nginx/a.conf;", "etc/nginx/a.conf": "a;"}
    assert names(load_tree(tmp_path, files, root=str(tmp_path))) == ["a"]


def test_an_absolute_include_in_a_repository_means_the_file_of_the_repository(tmp_path: Path) -> None:
    files = {"nginx.conf": "include /etc/nginx/conf.d/*.conf;", "conf.d/a.conf": "mine;"}
    assert names(load_tree(tmp_path, files)) == ["mine"]


def test_a_map_replaces_a_folder_that_is_not_there(tmp_path: Path) -> None:
    files = {"nginx.conf": "include sites-enabled/*;", "sites-available/a": "a;"}
    assert names(load_tree(tmp_path, files, maps=(("sites-enabled", "sites-available"),))) == ["a"]


def test_a_dump_gives_the_tree_of_its_machine() -> None:
    dump = (
        b"nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
        b"# configuration file /etc/nginx/nginx.conf:\nhttp {\n    include conf.d/*.conf;\n}\n\n"
        b"# configuration file /etc/nginx/conf.d/a.conf:\nserver {\n    listen 80; }\n"
    )
    texts = split_dump(dump)
    main = next(iter(texts))
    loaded = load(Dump(texts, "/etc/nginx"), main, texts[main].decode())
    listen = next(directive for directive in loaded.main.walk() if directive.name == "listen")
    assert (listen.source.path, listen.line) == ("/etc/nginx/conf.d/a.conf", 2)
    assert texts[main] == b"http {\n    include conf.d/*.conf;\n}\n"


def test_a_snippet_gets_the_blocks_around_it(tmp_path: Path) -> None:
    loaded = load(Disk(str(tmp_path)), "x.conf", "listen 80;", ("http", "server"))
    listen = next(directive for directive in loaded.main.walk() if directive.name == "listen")
    assert [block.name for block in listen.ancestors()] == ["server", "http"]


@pytest.mark.parametrize(
    "pattern", ["d/*", "d/*.conf", "d/a*", "d/a*f", "d/.*", "d/*a*", "d/[ab].conf", "d/?.conf", "*/a.conf", "no/*", "*"]
)
def test_a_pattern_finds_what_glob_finds(pattern: str, tmp_path: Path) -> None:
    for name in ("a.conf", "b.conf", "af", ".a.conf", ".conf", "a", "B.conf", "é.conf"):
        (tmp_path / "d").mkdir(exist_ok=True)
        (tmp_path / "d" / name).write_text("")
    (tmp_path / "d" / "dangling.conf").symlink_to("nowhere")
    full = str(tmp_path / pattern)
    assert Disk(str(tmp_path)).find(pattern) == sorted(glob.glob(full), key=os.fsencode)


def test_a_link_of_a_copied_tree_leads_to_where_its_target_is_in_the_copy(tmp_path: Path) -> None:
    for folder in ("etc/nginx/sites-available", "etc/nginx/sites-enabled"):
        (tmp_path / folder).mkdir(parents=True)
    site = tmp_path / "etc/nginx/sites-available/no-such-site.test"
    site.write_text("")
    link = tmp_path / "etc/nginx/sites-enabled/no-such-site.test"
    link.symlink_to("/etc/nginx/sites-available/no-such-site.test")
    conf = str(tmp_path / "etc/nginx")
    for pattern in ("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/no-such-site.test"):
        assert Disk(conf).find(pattern) == [str(site)]
        assert Disk(conf, root=str(tmp_path)).find(pattern) == [str(site)]
    site.unlink()
    assert Disk(conf).find("/etc/nginx/sites-enabled/*") == [str(link)]


def test_all_names_of_a_file_have_one_identity(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.conf").write_text("")
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "real" / "b.conf").symlink_to("a.conf")
    disk = Disk(str(tmp_path))
    for name in (
        "real/a.conf",
        "linked/a.conf",
        "linked/b.conf",
        "real/../linked/b.conf",
        "real/no.conf",
        "linked/.",
        "linked/..",
    ):
        path = str(tmp_path / name)
        assert disk.identity(path) == os.path.realpath(path)


def test_packed_texts_come_back_as_they_were() -> None:
    texts = ["", "listen 80;\n", "# half a character: \udcc3", "\udca9 the other half\r\n", "größer; 𝒳\0"]
    sources = [Source(str(number), text) for number, text in enumerate(texts)]
    twins = [Source("twin", "a;"), Source("twin", "b;")]
    Shelf(sources)
    Shelf(twins)
    assert [(source.text, twin.text) for source in sources for twin in twins] == [
        (text, twin) for text in texts for twin in ("a;", "b;")
    ]


def test_of_very_many_files_the_texts_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"nginx.conf": "include shared;\ninclude d/*.conf;\ninclude shared;", "shared": "root /s;"}
    files |= {f"d/{number}.conf": f"# number {number}\nserver_name {number}.test;" for number in range(70)}
    plain = load_tree(tmp_path, files)
    monkeypatch.setattr(includes, "_MANY_FILES", 3)
    packed = load_tree(tmp_path, files)
    assert sum(isinstance(file.source._text, Shelf) for file in packed.files) == 64
    for one, other in zip(plain.files, packed.files, strict=True):
        assert (one.source.path, one.source.text) == (other.source.path, other.source.text)
    assert [(one.line, one.span.text) for one in plain.main.body] == [
        (one.line, one.span.text) for one in packed.main.body
    ]
