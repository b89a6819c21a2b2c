"""Files in the place of a host: nothing leaves the tree, nothing but plain files is opened, nothing missing is well."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from make import make_host

from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Answer, Command, Failure, Output
from auditor.readers import files
from auditor.transports import tree


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def asked(folder: Path, glob: str, **changes: object) -> dict[Command, Answer]:
    host = make_host(connection="tree", tree=str(folder))
    command = Command(glob, kind="read", **changes)  # type: ignore[arg-type]
    return dict(tree.open_(Settings(time.time))(host, (HELLO, command), 30.0))


def shown(folder: Path, glob: str, **changes: object) -> files.Files:
    return files.read(list(asked(folder, glob, **changes).values())[0])


def test_files_are_told_in_the_order_of_the_globs(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/b": "B\n", "etc/d/2.conf": "2", "etc/d/1.conf": "1", "etc/d/.hidden.conf": "no"})
    assert list(shown(tmp_path, "/etc/b /etc/d/*.conf").texts.items()) == [
        ("/etc/b", "B\n"), ("/etc/d/1.conf", "1"), ("/etc/d/2.conf", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["/etc/real", "../etc/real", "../../../../../../etc/real", "other"])
def test_links_are_followed_as_a_chroot_would(tmp_path: Path, target: str) -> None:
    write(tmp_path, **{"etc/real": "inside", "etc/other": "inside"})
    (tmp_path / "etc" / "link").symlink_to(target)
    assert shown(tmp_path, "/etc/link").texts == {"/etc/link": "inside"}


@pytest.mark.parametrize("target", ["{outside}/secret", "../../{name}/secret", "loop", "nowhere"])
def test_links_never_leave_the_tree(tmp_path: Path, target: str) -> None:
    outside = write(tmp_path / "outside", secret="canary")
    root = write(tmp_path / "root", **{"etc/x": ""})
    (root / "etc" / "loop").symlink_to(target.format(outside=outside, name="outside"))
    found = shown(root, "/etc/loop")
    assert (found.texts, found.gap and found.gap.cause) == ({}, "unreadable")


def test_a_folder_that_is_a_link_out_holds_nothing(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", **{"a.conf": "canary"})
    root = write(tmp_path / "root", **{"etc/x": ""})
    (root / "etc" / "d").symlink_to(outside)
    assert "canary" not in str(asked(root, "/etc/d/*.conf /etc/d/a.conf"))


@pytest.mark.parametrize("target", ["/dev/null", "../../dev/null", "../../../../dev/null"])
def test_a_link_to_dev_null_reads_as_empty(tmp_path: Path, target: str) -> None:
    root = write(tmp_path / "root", **{"etc/d/y": "y"})
    (root / "etc" / "d" / "x").symlink_to(target)
    found = shown(root, "/etc/d/*")
    assert (found.texts, found.gap) == ({"/etc/d/x": "", "/etc/d/y": "y"}, None)


def test_of_links_their_targets_are_told_and_nothing_is_read(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/d/file": "canary"})
    (tmp_path / "etc/d/link").symlink_to("/nowhere/a.service")
    os.mkfifo(tmp_path / "etc/d/pipe")
    found = shown(tmp_path, "/etc/d/* /etc/d/none /none/*", mask="links")
    assert found.texts == {"/etc/d/file": "", "/etc/d/link": "/nowhere/a.service", "/etc/d/pipe": ""}
    assert found.gap is None


@pytest.mark.parametrize("target", ["b.service", "c.service", "/dev/null", "../../dev/./null", "/dev/zero"])
def test_a_link_that_ends_in_an_empty_file_or_a_device_leads_nowhere(tmp_path: Path, target: str) -> None:
    """systemd.unit(5): with such a file a unit is masked."""
    write(tmp_path, **{"etc/d/b.service": "", "etc/d/e.service": "canary"})
    (tmp_path / "etc/d/c.service").symlink_to("/dev/null")
    (tmp_path / "etc/d/a.service").symlink_to(target)
    texts = shown(tmp_path, "/etc/d/*", mask="links").texts
    nowhere = [path for path, text in texts.items() if text == "/dev/null"]
    assert nowhere == ["/etc/d/a.service", "/etc/d/b.service", "/etc/d/c.service"]


@pytest.mark.parametrize("mask", ["", "links"])
def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path, mask: str) -> None:
    write(tmp_path, **{"etc/d": "a file"})
    (tmp_path / "etc" / "e").symlink_to("/nowhere")
    for glob in ("/etc/d/*.conf", "/etc/e/*.conf"):
        found = shown(tmp_path, glob, mask=mask)
        assert (found.texts, found.gap and found.gap.cause) == ({}, "unreadable")


def test_an_empty_folder_is_told_from_none(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside")
    root = write(
        tmp_path / "root", **{"etc/x": "", "etc/full/a.conf": "", "etc/other/README": "", "etc/hidden/.a.conf": ""}
    )
    outside.mkdir()
    (root / "etc/none").mkdir()
    (root / "etc/to-none").symlink_to("none")
    (root / "etc/out").symlink_to(outside)
    (root / "etc/off").symlink_to("/dev/null")
    names = ("x", "full", "other", "hidden", "none", "to-none", "out", "off", "nowhere", "NONE", "*")
    found = shown(root, " ".join(f"/etc/{name}/*.conf" for name in names))
    assert found.empty == {f"/etc/{name}" for name in ("other", "hidden", "none", "to-none")}
    assert shown(root, "/etc/none/*.conf /etc/none/a.conf").gap is None
    assert shown(root, "/etc/none").empty == frozenset(), "nobody asked what is in it"


def test_a_tree_of_empty_folders_is_no_tree_of_this_host(tmp_path: Path) -> None:
    (tmp_path / "etc/d").mkdir(parents=True)
    assert isinstance(asked(tmp_path, "/etc/d/* /etc/x")[HELLO], Failure)


def test_pipes_and_devices_are_never_opened(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/x": ""})
    os.mkfifo(tmp_path / "etc" / "pipe")
    os.mknod(tmp_path / "etc" / "null", 0o20666, os.makedev(1, 3)) if os.geteuid() == 0 else None
    found = shown(tmp_path, "/etc/pipe /etc/null /etc")
    assert found.gap
    assert "no plain file" in found.gap.detail
    assert not found.texts


def test_what_is_not_there_hides_nothing_that_is(tmp_path: Path) -> None:
    """Also where a folder is asked for again, and where what is missing is only a part of its name, or lies behind a link."""
    write(tmp_path, **{"etc/a/b/x": "1", "etc/ab/x": "2", "etc/a/c": "3"})
    (tmp_path / "way").symlink_to("etc/a")
    (tmp_path / "gone").symlink_to("etc/none")
    globs = "/etc/a/b/y /etc/a/b/y/z /etc/a/b/x /etc/a/d/* /etc/a/d/x /etc/a /etc/ab/x /etc/a/c /etc/./a/./none /way/none /way/c"
    found = shown(tmp_path, globs)
    assert found.texts == {"/etc/a/b/x": "1", "/etc/ab/x": "2", "/etc/a/c": "3", "/way/c": "3"}
    assert shown(tmp_path, "/gone/x /etc/none/x /etc/a/c").texts == {"/etc/a/c": "3"}
    links = asked(tmp_path, "/etc/none /etc/a /etc/a/b /etc/a/b/none /etc/a/b/x", mask="links")
    assert set(files.read(list(links.values())[0]).texts) == {"/etc/a", "/etc/a/b", "/etc/a/b/x"}


@pytest.mark.parametrize("again", ["/etc/x/y", "/usr/etc/x /etc/x/y", "/etc/x/*"])
def test_what_cannot_be_read_stays_so_when_it_is_asked_for_again(tmp_path: Path, again: str) -> None:
    write(tmp_path, **{"etc/x": "no folder"})
    assert shown(tmp_path, f"/etc/none /etc/x/y {again}").gap


def test_what_is_too_long_is_no_answer(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/x": "a" * 101})
    with (tmp_path / "etc" / "huge").open("wb") as file:
        file.truncate(1 << 40)
    for glob in ("/etc/x", "/etc/huge"):
        (answer,) = (a for c, a in asked(tmp_path, glob, cap_bytes=100).items() if c != HELLO)
        assert isinstance(answer, Failure)
        assert answer.cause == "truncated"


def test_another_case_is_not_the_file(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/ssh/SSHD_Config": "PermitRootLogin yes\n"})
    found = shown(tmp_path, "/etc/ssh/sshd_config")
    assert found.gap
    assert (found.gap.cause, "SSHD_Config" in found.gap.detail) == ("unreadable", True)


@pytest.mark.parametrize("end", ["\0", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_what_ends_a_line_to_some_programs_only_is_not_read(tmp_path: Path, end: str) -> None:
    """sshd joins what stands before NUL to the next line; systemd begins one at a lone carriage return."""
    write(tmp_path, **{"etc/a": f"# why{end}\nPasswordAuthentication no\n", "etc/b": f"# why{end}Storage=persistent\n"})
    found = shown(tmp_path, "/etc/a /etc/b")
    assert "/etc/b" not in found.texts
    assert ("/etc/a" in found.texts) == (end == "\r")  # that one is the end of every line of Windows
    assert found.gap
    assert found.gap.cause == "unreadable"


def test_a_device_s_file_is_read_as_it_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "router"
    file.write_bytes(b"hostname a\r\r\nbanner \f x\r\n")
    assert shown(file, "/").texts != {}


def test_invalid_utf8_is_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "x").write_bytes(b"\xff\xfe\n")
    assert shown(tmp_path, "/etc/x").texts == {"/etc/x": "\\xff\\xfe\n"}


def test_a_tree_of_something_else_is_no_tree_of_this_host(tmp_path: Path) -> None:
    write(tmp_path, **{"web01/etc/x": ""})
    assert isinstance(asked(tmp_path, "/etc/x")[HELLO], Failure)
    assert isinstance(asked(tmp_path / "web01", "/etc/x")[HELLO], Output)


def test_nothing_is_run(tmp_path: Path) -> None:
    write(tmp_path, **{"etc/x": ""})
    host = make_host(connection="tree", tree=str(tmp_path))
    run = Command(f"touch {tmp_path}/ran")
    told = dict(tree.open_(Settings(time.time))(host, (HELLO, run), 30.0))
    assert isinstance(told[run], Failure)
    assert told[run].cause == "not_observable"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("mask", "text", "kept"),
    [
        ("passwd", "root:$6$canary:0:0:Canary Name:/root:/bin/sh\n", "root:set:0:0::/root:/bin/sh\n"),
        ("passwd", "canary without colons\n#canary\n", "odd\n\n"),
        ("sudoers", 'a ALL=(b) NOPASSWD: /bin/x -p canary, /bin/y ""\n', 'a ALL=(b) NOPASSWD: /bin/x ..., /bin/y ""\n'),
        ("sudoers", "a ALL=/bin/x -p \\\n canary\nb ALL=/bin/y *\n", "a ALL=/bin/x ... \\\n\nb ALL=/bin/y ...*\n"),
        ("pam", "auth required pam_x.so secret=canary\n", "auth required pam_x.so secret=*\n"),
        ("pam", "auth [success=1 default=ignore] pam_x.so pw=canary # canary\n", "auth [success=1 default=ignore] pam_x.so pw=* \n"),
        ("comments", "# canary\nPort 22\n", "\nPort 22\n"),
    ],
)  # fmt: skip
def test_secrets_are_gone_before_anything_is_kept(tmp_path: Path, mask: str, text: str, kept: str) -> None:
    write(tmp_path, **{"etc/x": text})
    assert shown(tmp_path, "/etc/x", mask=mask).texts == {"/etc/x": kept}
