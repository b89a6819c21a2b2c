"""The store: what was kept stays kept, whatever ends the run; what goes wrong is said in words."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from conftest import lacking
from hypothesis import given
from hypothesis import strategies as st
from make import (
    NOBODY,
    NOON,
    ROOT,
    ask_with,
    begin,
    command,
    make_control,
    make_estate,
    make_host,
    make_pace,
    make_plan,
    make_probe,
    told,
)

from auditor.audit import audit
from auditor.errors import StoreError
from auditor.evaluate import evaluate
from auditor.framing.sh import HELLO
from auditor.freshness import whose
from auditor.model import CAUSES, Failure, Output, ReplayOf
from auditor.store import Sighting, Store, StoredRun, command_digest, database, pack, packed
from auditor.store.packing import unpack
from auditor.store.schema import HELLO_1, MIGRATIONS

TOWN = make_estate(make_host("a"), make_host("b"), make_host("c"))


def finished(store: Store, stdout: str = "400", **header: Any) -> StoredRun:
    plan = make_plan(TOWN)
    return audit(plan, {"ssh": ask_with(stdout)}, store, begin(store, plan, **header), NOBODY, make_pace())


def rows(path: Path, table: str) -> int:
    (count,) = sqlite3.connect(path).execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    """Findings, hosts and the header, read again from the file, in plan order."""
    store = Store(str(tmp_path / "runs.db"))
    run = finished(store)
    again = Store(str(tmp_path / "runs.db"), create=False).run("latest")
    assert again.header == run.header
    assert list(again.findings()) == list(run.findings())
    assert [f.subject.id for f in again.findings()] == ["a", "b", "c"]
    assert [h.host for h in again.hosts()] == ["a", "b", "c"]
    assert list(again.findings()) == list(again.findings()), "each call reads anew"


def test_only_findings_that_matter_are_read(tmp_path: Path) -> None:
    """By the key of the subject and the outcome, each as the finding itself says it."""
    run = finished(Store(str(tmp_path / "runs.db")))
    found = list(run.findings())
    asked: list[tuple[str, str | None]] = []
    assert list(run.findings_that(lambda *told: bool(asked.append(told)))) == []
    assert asked == [(f.subject.key, f.outcome) for f in found]
    assert list(run.findings_that(lambda subject, _: subject == "host:b")) == [f for f in found if f.subject.id == "b"]


def test_equal_evidence_is_kept_once(tmp_path: Path) -> None:
    """By digest, whatever the host and the run; the dates stand with the answers."""
    path = tmp_path / "runs.db"
    store = Store(str(path))
    finished(store)
    kept = rows(path, "evidence")
    finished(store)
    assert kept == 4  # what each of the three hosts said it is, and one answer
    assert rows(path, "evidence") == kept
    assert rows(path, "answer") == 12
    assert finished(store, "401").header.id != ""
    assert rows(path, "evidence") == kept + 1


def test_the_id_of_a_run_is_of_its_inputs_and_evidence(tmp_path: Path) -> None:
    """The same evidence and inputs have the same id; other evidence, day or input have another."""
    store = Store(str(tmp_path / "runs.db"))
    ids = [finished(store).header.id for _ in range(2)]
    assert ids[0] == ids[1]
    others = [finished(store, "3"), finished(store, as_of="2026-01-01"), finished(store, digests={"a.yaml": "1"})]
    assert len({ids[0], *(r.header.id for r in others)}) == 4


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    """The store, its folder and SQLite's side files are readable by their owner only, whatever the umask."""
    old = os.umask(0)
    try:
        path = tmp_path / "deep" / "er" / "runs.db"
        finished(Store(str(path)))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_latest_is_the_latest_complete_run(tmp_path: Path) -> None:
    """Neither one that was interrupted nor one that never ended."""
    store = Store(str(tmp_path / "runs.db"))
    whole = finished(store)
    store.finish(begin(store, make_plan(TOWN)), "partial", NOON, (), ())
    begin(store, make_plan(TOWN))
    assert store.run("latest").header.number == whole.header.number
    assert [(h.number, h.state) for h in store.runs()] == [(3, "open"), (2, "partial"), (1, "complete")]
    assert store.run("2").header.state == "partial"
    assert store.run(whole.header.id[:6]).header.id == whole.header.id


def test_the_run_before_is_of_the_same_kind(tmp_path: Path) -> None:
    """Complete, an audit, of the same estate, hosts and policies; there may be none."""
    store = Store(str(tmp_path / "runs.db"))
    first = finished(store, policies=("a.yaml",))
    plain = finished(store)
    finished(store, limit="a")
    finished(store, estate="other")
    finished(store, replay=ReplayOf(1, "0" * 16, "complete", NOON))
    store.finish(begin(store, make_plan(TOWN)), "partial", NOON, (), ())
    begin(store, make_plan(TOWN))
    before = store.before(finished(store).header)
    assert before is not None
    assert before.header.number == plain.header.number
    before = store.before(finished(store, policies=("a.yaml",)).header)
    assert before is not None
    assert before.header.number == first.header.number
    assert store.before(plain.header) is None


def test_estates_of_one_place_are_one(tmp_path: Path) -> None:
    """As a store of before tells none: then by name, as where one name was typed in several places."""
    store = Store(str(tmp_path / "runs.db"))
    for estate, place in (
        ("a", ""),
        ("b", "/x/b"),
        ("/x/b", ""),
        ("../b", "/x/b"),
        (".", "/x/b"),
        (".", "/x/c"),
        ("c", "/x/c"),
    ):
        finished(store, estate=estate, place=place)
    assert sorted(store.estates()) == [(".",), ("../b", "/x/b", "b"), ("a",), ("c",)]
    assert [store.run("latest", of=one).header.number for one in ("a", "b", ".", "c")] == [1, 4, 6, 7]
    assert [store.run("latest", like=one).header.number for one in ("/x/b", "none")] == [4, 7]
    assert [store.known_as(*one) for one in (("b", "/y"), ("./c", "/x/c"), ("new", "/y"))] == ["b", "c", "new"]


@pytest.mark.parametrize("name", ["99", "", "zzzz", "²", "٣", "9" * 5000, "latest", "' OR 1", "-1", "\x00"])
def test_a_run_that_is_not_there_is_said_so(tmp_path: Path, name: str) -> None:
    """Whatever was typed."""
    store = Store(str(tmp_path / "runs.db"))
    begin(store)
    with pytest.raises(StoreError, match="holds no run"):
        store.run(name)


# ---------------------------------------------------------------- evidence of earlier runs


OWN = whose(make_host(), make_estate())


def as_version_1(path: Path) -> None:
    """Takes back what later versions added, as a store of before has it."""
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE script")
        db.execute("DROP INDEX host_seen")
        for column in ("seen_at", "machine", "lost", "estate", "max_age_s"):
            db.execute(f"ALTER TABLE host DROP COLUMN {column}")
        db.execute("ALTER TABLE run DROP COLUMN inputs")
        db.execute("DROP TABLE inputs")
        db.execute("UPDATE host SET doc = json_remove(doc, '$.evidence_at', '$.asked')")
        db.execute("UPDATE finding SET doc = json_remove(doc, '$.adapted', '$.suspended', '$.actions')")
        for table in ("action", "to_do"):
            db.execute(f"DROP TABLE {table}")
        db.execute(
            "UPDATE run SET header = json_remove(header, '$.legacy', '$.policies', '$.hosts_inventoried', '$.replay')"
        )
        hello = (bytes.fromhex(HELLO_1), command_digest(HELLO))  # asked in other words then
        db.execute("UPDATE answer SET command = ? WHERE command = ?", hello)
        db.execute("PRAGMA user_version=1")


def test_a_store_of_version_1_is_brought_up(tmp_path: Path) -> None:
    """Its runs read as before, and its evidence counts: when each host was seen, which machine, who was lost."""
    path = tmp_path / "runs.db"
    store = Store(str(path))
    before = list(finished(store).findings())
    plan = make_plan(make_estate(make_host("a"), make_host("gone"), make_host("no", connection="none", why="x")))

    def ask(host: Any, commands: Any, deadline_s: float) -> Any:
        yield from dict.fromkeys(commands, Failure("auth" if host.id == "a" else "unreachable")).items()

    audit(plan, {"ssh": ask}, store, begin(store, plan), NOBODY, make_pace())
    store.close()
    columns = "SELECT run, seq, id, seen_at, machine, lost, estate FROM host ORDER BY run, seq"
    with sqlite3.connect(path) as db:
        kept = db.execute(columns).fetchall()
    as_version_1(path)
    again = Store(str(path), create=False)
    with sqlite3.connect(path) as db:
        assert kept == db.execute(columns).fetchall()
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert list(again.run("1").findings()) == before
    assert [(h.evidence_at, h.asked) for h in again.run("1").hosts()] == [(0.0, True)] * 3
    assert again.last_sighting("a", OWN, 9, NOON) == Sighting(1, 0, NOON, "0123456789abcdef")
    assert again.lost_since("a", OWN, 1)
    assert again.last_sighting("gone", OWN, 9, NOON) is None
    assert not again.lost_since("no", OWN, 0)
    assert again.last_sighting("a", "", 9, NOON) is None


def test_the_newest_evidence_of_a_host_is_found_by_an_index(tmp_path: Path) -> None:
    """400 runs of 1,000 hosts: one step in the index a host, whatever else is kept."""
    path = tmp_path / "runs.db"
    store = Store(str(path))
    with sqlite3.connect(path) as db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399999)"
            " INSERT INTO host SELECT i / 1000 + 1, i % 1000, 'h' || (i % 1000), '{}', i / 1000, 'm', 0, ?, NULL FROM n",
            (OWN,),
        )
    for place in range(1000):
        assert store.last_sighting(f"h{place}", OWN, 401, 1e9) == Sighting(400, place, 399.0, "m")
        assert not store.lost_since(f"h{place}", OWN, 400)
    with sqlite3.connect(path) as db:
        plan = db.execute(
            "EXPLAIN QUERY PLAN SELECT run, seq, seen_at, machine FROM host"
            " WHERE id = 'h1' AND estate = 'x' AND run != 1 AND seen_at <= 1 AND (machine != '' OR NOT 0) ORDER BY run DESC LIMIT 1"
        ).fetchall()
    assert [step[-1] for step in plan] == ["SEARCH host USING COVERING INDEX host_seen (id=? AND estate=?)"]


def test_answers_come_back_as_they_came(tmp_path: Path) -> None:
    """Each by its command, with both dates; nothing of another host or run."""
    store = Store(str(tmp_path / "runs.db"))
    finished(store)
    finished(store, "401")
    assert store.answers_of(2, 1) == told((HELLO, command()), "401", "b")
    assert store.answers_of(2, 3) == store.answers_of(3, 0) == {}


@given(
    st.builds(
        Output,
        st.integers(0, 255),
        st.binary(max_size=40),
        st.binary(max_size=40),
        st.just(NOON),
        st.none() | st.just(1.0),
    )
    | st.builds(Failure, st.sampled_from(sorted(CAUSES)), st.text(max_size=10), st.just(NOON))
)
def test_what_is_packed_unpacks(answer: Any) -> None:
    """Any bytes; and one byte less is no answer."""
    digest, plain = pack(answer)
    body = zlib.compress(plain, 1)
    host_at = getattr(answer, "host_at", None)
    assert unpack(digest, body, NOON, host_at) == answer
    damaged = Failure("unreadable", "the stored evidence is damaged", NOON)
    for broken in (None, b"", body[:-1], zlib.compress(b"{}"), zlib.compress(zlib.decompress(body) + b" ")):
        assert unpack(digest, broken, NOON, host_at) == damaged


# ---------------------------------------------------------------- what ends a run


def test_a_killed_run_keeps_the_hosts_that_had_finished(tmp_path: Path) -> None:
    """kill -9 in the middle: the finished hosts are there, the run is open, and the store opens again."""
    path = tmp_path / "runs.db"
    child = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "tests")!r})
from make import *
town = make_estate(*(make_host(str(n)) for n in range(4)))
def ask(host, commands, deadline_s):
    if host.id == "2":
        print("stuck", flush=True)
        time.sleep(600)
    yield from told(commands, name=host.id).items()
from auditor.audit import audit
plan = make_plan(town)
store = Store({str(path)!r})
audit(plan, {{"ssh": ask}}, store, begin(store, plan), NOBODY, make_pace(jobs=1))
"""
    with subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout and process.stdout.readline() == b"stuck\n"
        for _ in range(200):
            if rows(path, "host") == 2:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    store = Store(str(path), create=False)
    run = store.run("1")
    assert run.header.state == "open"
    assert [h.host for h in run.hosts()] == ["0", "1"]
    assert len(list(run.findings())) == 2
    with pytest.raises(StoreError, match="holds no run 'latest': only complete audits count"):
        store.run("latest")
    assert finished(store).header.state == "complete"


def test_a_host_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """When keeping fails in the middle of a host, nothing of it stays."""
    path = tmp_path / "runs.db"
    store, plan = Store(str(path)), make_plan(TOWN)
    run = begin(store, plan)
    judged = evaluate(plan.hosts[0], plan.checks_of(0), plan.questions_of(0), {}, plan.probes)

    def facts() -> Any:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        store.keep(run, 0, plan.hosts[0], packed({}, command_digest), judged, facts())
    assert rows(path, "host") == rows(path, "finding") == 0
    store.keep(run, 0, plan.hosts[0], {}, judged, ())
    assert rows(path, "host") == rows(path, "finding") == 1


def test_two_runs_at_once_share_a_store(tmp_path: Path) -> None:
    """Hosts of both are kept, each under its own run."""
    path = str(tmp_path / "runs.db")
    plan = make_plan(TOWN)
    one, two = Store(path), Store(path)
    first, second = begin(one, plan), begin(two, plan)
    for store, run in ((two, second), (one, first)):
        audit(plan, {"ssh": ask_with()}, store, run, NOBODY, make_pace())
    assert [len(list(one.run(n).findings())) for n in "12"] == [3, 3]


# ---------------------------------------------------------------- what goes wrong


def test_a_locked_store_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds it is waited for, and then named as the reason."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "runs.db"
    store = Store(str(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another process holds it"):
        begin(store)
    other.execute("ROLLBACK")
    assert begin(store).header.number == 1


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 50, b"\x00" * 4096])
def test_what_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file of another kind is refused and not overwritten."""
    path = tmp_path / "runs.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="no auditor store"):
        Store(str(path))
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """Our tables are not made in it."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    with pytest.raises(StoreError, match="another program's database"):
        Store(str(path))
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    """An older auditor does not write into what a newer one made."""
    path = tmp_path / "runs.db"
    Store(str(path)).close()
    sqlite3.connect(path).execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError, match="newer auditor"):
        Store(str(path))


def test_a_broken_store_is_said_so(tmp_path: Path) -> None:
    """Pages that were overwritten are an error in words, also while a report reads them."""
    path = tmp_path / "runs.db"
    store = Store(str(path))
    town = make_estate(*(make_host(str(n)) for n in range(200)))
    plan = make_plan(town)
    audit(plan, {"ssh": ask_with()}, store, begin(store, plan), NOBODY, make_pace())
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(8192)
        stream.write(b"\xa5" * (size - 8192))
    with pytest.raises(StoreError, match=r"the store .*runs\.db"):  # noqa: PT012
        again = Store(str(path), create=False)
        run = again.run("1")
        list(run.findings())
        list(run.hosts())


@pytest.mark.parametrize("where", ["file/runs.db", "file/deep/runs.db", "folder"])
def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path, where: str) -> None:
    """A file where a folder should be, or a folder where the file should be."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="the store"):
        Store(str(tmp_path / where))


def test_a_store_that_is_not_there_is_not_made_to_read_it(tmp_path: Path) -> None:
    """`report` on a misspelt path makes no empty store."""
    with pytest.raises(StoreError, match="there is no store"):
        Store(str(tmp_path / "runs.db"), create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.root
def test_a_full_disk_keeps_what_had_finished(tmp_path: Path) -> None:
    """No space left: said so, every host kept before is there."""
    child = f"""
import subprocess, sys, os
sys.path.insert(0, {str(ROOT / "tests")!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", {str(tmp_path)!r}], check=True)
from make import *
from auditor.errors import StoreError
from auditor.audit import audit
def ask(host, commands, deadline_s):
    for c in commands:
        yield c, (hello() if c == HELLO else output("400" + " " * 10 + os.urandom(8000).hex()))
def parse(answers, args):
    return {{"days": 400}}
plan = make_plan(make_estate(*(make_host(str(n)) for n in range(200))), probes={{"sample": make_probe(parse)}})
store = Store({str(tmp_path / "runs.db")!r})
try:
    audit(plan, {{"ssh": ask}}, store, begin(store, plan), NOBODY, make_pace(jobs=1))
except StoreError as error:
    print(error)
print(len(list(store.run("1").hosts())) > 2)
"""
    done = subprocess.run(["unshare", "-m", sys.executable, "-c", child], capture_output=True, text=True, cwd=ROOT)
    if "permission denied" in done.stderr.lower() and "mount" in done.stderr:
        lacking("needs mounts of its own")
    assert "no space left" in done.stdout, done.stderr
    assert done.stdout.endswith("True\n")


def test_a_private_store_leaves_nothing(tmp_path: Path) -> None:
    """`--store none` reports and keeps no file."""
    os.chdir(tmp_path)
    store = Store("")
    assert len(list(finished(store).findings())) == 3
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_hostile_texts_are_kept_as_they_are(tmp_path: Path) -> None:
    """NUL, half surrogates and control characters in an answer neither break the store nor change the run."""

    def parse(answers: Any, args: Any) -> Any:
        return {"name": answers["days"].text, "days": 1}

    plan = make_plan(
        make_estate(make_host("a")), [make_control(expect={"name": {"equals": "x"}})], {"sample": make_probe(parse)}
    )
    store = Store(str(tmp_path / "runs.db"))
    hostile = "\x00 \x1b[31m \ufffe '; DROP TABLE run; --"
    run = audit(plan, {"ssh": ask_with(hostile)}, store, begin(store, plan), NOBODY, make_pace())
    assert next(run.findings()).reasons[0].observed == hostile
