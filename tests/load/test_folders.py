"""Folders of policies and records: nothing that lies there is lost without a word."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from make import (
    ACCEPTED,
    ESTATE_YAML,
    MEASURES_YAML,
    POLICY_YAML,
    decision_schemas,
    estate_schemas,
    policy_schemas,
    write,
)

from auditor.errors import InvalidInput
from auditor.load import decisions, estate, policies


def _policies(folder: Path) -> object:
    return policies.load([folder], policy_schemas())


def _decisions(folder: Path) -> object:
    return decisions.load(folder, decision_schemas())


def _estate(folder: Path) -> object:
    return estate.load(folder.parent, estate_schemas())


READERS: dict[str, Callable[[Path], object]] = {
    "policies": _policies,
    "town/decisions": _decisions,
    "town/records": _estate,
    "town/recommendations": _estate,
}


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder that holds an estate and policies."""
    write(tmp_path / "town", hosts="all: {hosts: {web01: }}", estate=ESTATE_YAML, **ACCEPTED)
    write(tmp_path, policies__measures=MEASURES_YAML, policies__sample=POLICY_YAML)
    return write(tmp_path, town__records__admins="register: admins\nentries: []\n")


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """As an account that owns nothing, and may go as far as this folder."""
    for above in (folder, *folder.parents):
        if not above.stat().st_mode & stat.S_IXOTH:
            above.chmod(above.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(read: Callable[[Path], object], folder: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    return [str(p).removeprefix(f"{folder}") for p in caught.value.problems]


@pytest.mark.root
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("inside", ["", "more"])
def test_a_folder_that_we_may_not_list_is_not_empty(town: Path, name: str, inside: str) -> None:
    """Controls that are left out so would let an audit pass; so would registers and decisions."""
    closed = town / name / inside
    closed.mkdir(exist_ok=True)
    READERS[name](town / name)
    closed.chmod(0)
    with nobody(town):
        said = refused(READERS[name], town / name)
    assert f"{'/' if inside else ''}{inside}: cannot be read: Permission denied" in said


@pytest.mark.parametrize(("name", "word"), [(n, "policies" if n == "policies" else "records") for n in READERS])
def test_nothing_is_lost_behind_a_link_or_a_name(town: Path, name: str, word: str) -> None:
    """Links to folders are not followed, and the case of letters is no reason to leave a file out."""
    (town / "elsewhere").mkdir()
    (town / name / "more").symlink_to(town / "elsewhere")
    (town / name / "late.YAML").write_text("")
    what = {"policies": "policy", "records": "record"}[word]
    assert refused(READERS[name], town / name) == [
        f"/late.YAML: a {what} is named late.yaml",
        f"/more: a link to a folder is not followed: put the {word} here",
    ]


@pytest.mark.parametrize("name", [name for name in READERS if name != "policies"])
def test_a_link_that_leads_nowhere_is_no_empty_folder(town: Path, name: str) -> None:
    """As where what it leads to is not mounted."""
    (town / name).rename(town / "away")
    (town / name).symlink_to(town / "not-mounted")
    assert refused(READERS[name], town / name) == [": is a link that leads nowhere: mend it, or remove it"]
