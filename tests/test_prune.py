"""What is older than may be kept goes, with all that only it referred to; what a later run still needs stays."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make import NOBODY, NOON, ROOT, ask_with, begin, make_estate, make_host, make_pace, make_plan, make_probe

from auditor.audit import audit
from auditor.freshness import whose
from auditor.model import Failure, Host, Reason, ReplayOf
from auditor.prune import LONGEST_DEFAULT_S
from auditor.store import Store, StoredRun

DAY = 86400.0
TOWN = make_estate(make_host("a"), make_host("b"))
OWN = whose(make_host(), make_estate())
TABLES = ("run", "host", "answer", "finding", "fact", "idle_decision", "coverage", "evidence", "command")


def kept(
    store: Store, at: float, stdout: str = "400", hosts: tuple[Host, ...] = TOWN.hosts, **header: Any
) -> StoredRun:
    """An audit at a moment, in which every host but those called `gone` answers."""
    plan = make_plan(make_estate(*hosts))

    def ask(host: Host, commands: Any, deadline_s: float) -> Any:
        if host.id.startswith("gone"):
            yield from dict.fromkeys(commands, Failure("auth", "", at)).items()
        else:
            yield from ((c, replace(answer, at=at)) for c, answer in ask_with(stdout)(host, commands, deadline_s))

    return audit(
        plan, {"ssh": ask}, store, begin(store, plan, started_at=at, **header), NOBODY, make_pace(clock=lambda: at)
    )


def pruned(store: Store, now: float, keep: int = 395) -> list[int]:
    gone = store.old(now - keep * DAY, now)
    store.prune(gone, now)
    return [run.number for run in gone]


def rows(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as db:
        return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def test_what_is_too_old_goes_and_the_rest_reads_as_before(path: Path) -> None:
    """To the day; nothing of the old runs is left in any table."""
    store = Store(str(path))
    kept(store, NOON - 397 * DAY, "1")
    kept(store, NOON - 396 * DAY, "2")
    young = [kept(store, NOON - 394 * DAY, "3"), kept(store, NOON, "4")]
    findings = [list(run.findings()) for run in young]
    assert pruned(store, NOON) == [1, 2]
    assert [h.number for h in store.runs()] == [4, 3]
    assert [list(store.run(n).findings()) for n in "34"] == findings
    with sqlite3.connect(path) as db:
        for table in ("host", "answer", "finding"):
            assert db.execute(f"SELECT count(*) FROM {table} WHERE run < 3").fetchone() == (0,), table
        assert db.execute(
            "SELECT count(*) FROM evidence WHERE digest NOT IN (SELECT evidence FROM answer)"
        ).fetchone() == (0,)
    assert store.answers_of(4, 0) != {}
    assert pruned(store, NOON) == []


def test_shared_evidence_stays_as_long_as_somebody_has_it(path: Path) -> None:
    store = Store(str(path))
    kept(store, NOON - 400 * DAY, "77")
    run = kept(store, NOON, "77")
    before = rows(path)["evidence"]
    pruned(store, NOON)
    assert rows(path)["evidence"] == before
    assert [a.text for a in store.answers_of(run.header.number, 1).values() if a.text == "77"]


def test_the_newest_complete_run_of_each_estate_stays_whatever_its_age(path: Path) -> None:
    """A later one that was interrupted, killed, or narrowed does not stand for it."""
    store = Store(str(path))
    old = NOON - 900 * DAY
    kept(store, old)
    kept(store, old + 1)
    kept(store, old + 2, limit="a")
    kept(store, old + 3, estate="other")
    plan = make_plan(TOWN)
    store.finish(begin(store, plan, started_at=old + 4), "partial", old + 5, (), ())
    begin(store, plan, started_at=old + 6)
    assert pruned(store, NOON) == [1, 3, 5, 6]
    assert store.run("latest").header.number == 4
    assert len(list(store.run("2").findings())) == 2


@pytest.mark.parametrize("wrong", [0.5, NOON + 4000 * DAY], ids=["a clock at 1970", "a clock far ahead"])
def test_a_clock_that_jumped_makes_no_run_old_and_no_run_eternal(path: Path, wrong: float) -> None:
    """Between two runs of this week it is of this week; once they are old it is too."""
    store = Store(str(path))
    kept(store, NOON - 400 * DAY)
    kept(store, NOON - 2 * DAY)
    kept(store, wrong)
    kept(store, NOON - DAY)
    assert pruned(store, NOON) == [1]
    kept(store, NOON + 500 * DAY)
    assert pruned(store, NOON + 500 * DAY) == [2, 3, 4]


def test_a_replay_stands_for_no_audit_and_is_as_old_as_what_it_judges(path: Path) -> None:
    store = Store(str(path))
    again = ReplayOf(2, "0" * 16, "complete", NOON - 399 * DAY)
    kept(store, NOON - 400 * DAY)
    kept(store, NOON - 399 * DAY)
    kept(store, NOON - 399 * DAY, replay=again)
    assert pruned(store, NOON) == [1, 3]
    kept(store, NOON)
    kept(store, NOON - 399 * DAY, replay=again)
    assert pruned(store, NOON) == [2, 5]


# ---------------------------------------------------------------- what freshness needs


def test_evidence_that_a_host_may_still_be_judged_on_stays_until_it_is_too_old(path: Path) -> None:
    """A laptop seen ten days ago may be judged on that for thirty, though audits are kept for five."""
    store = Store(str(path))
    laptop = make_host("laptop", availability="roaming", evidence_max_age_s=30 * DAY)
    kept(store, NOON - 11 * DAY, "1", (laptop, make_host("a")))
    kept(store, NOON - 10 * DAY, "2", (laptop, make_host("a")))
    kept(store, NOON, "3", (make_host("a"),))
    answers = store.answers_of(2, 0)
    assert pruned(store, NOON, keep=5) == [1, 2]
    found = store.last_sighting("laptop", OWN, 9, NOON)
    assert found is not None
    assert (found.run, found.machine) == (2, "0123456789abcdef")
    assert store.answers_of(found.run, found.seq) == answers != {}
    assert store.answers_of(2, 1) == {}, "host a was seen since"
    assert pruned(store, NOON + 21 * DAY, keep=395) == []
    assert store.answers_of(2, 0) == {}, "past thirty days it can be judged on it no more"
    assert store.last_sighting("laptop", OWN, 9, NOON) == found, "which machine it was is known for ever"


def test_a_store_of_before_says_not_how_long_evidence_counts(path: Path) -> None:
    """Then the longest default does."""
    store = Store(str(path))
    kept(store, NOON - 20 * DAY, "1")
    kept(store, NOON, "2", (make_host("b"),))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE host SET max_age_s = NULL")
    pruned(store, NOON, keep=5)
    assert store.answers_of(1, 0) != {}
    pruned(store, NOON - 20 * DAY + LONGEST_DEFAULT_S + 1, keep=5)
    assert store.answers_of(1, 0) == {}


def test_what_was_asked_in_vain_since_is_not_forgotten(path: Path) -> None:
    """Else an outage would be judged on the evidence from before it."""
    store = Store(str(path))
    long = make_host("gone", evidence_max_age_s=30 * DAY)
    seen = make_host("x", evidence_max_age_s=30 * DAY)
    kept(store, NOON - 12 * DAY, "1", (seen,))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE host SET id = 'gone'")
    kept(store, NOON - 11 * DAY, "2", (long,))
    kept(store, NOON - 10 * DAY, "2", (make_host("a"),))
    kept(store, NOON, "3", (make_host("a"),))
    assert store.lost_since("gone", OWN, 1)
    assert pruned(store, NOON, keep=5) == [1, 2, 3]
    assert store.answers_of(1, 0) != {}
    assert store.lost_since("gone", OWN, 1)


# ---------------------------------------------------------------- disk and memory


def test_the_room_goes_back_to_the_disk_and_nothing_of_it_can_be_read(path: Path) -> None:
    """A text of an old finding is in no byte of the store's files; the file is smaller by what is said."""
    store = Store(str(path))

    def parse(answers: Any, args: Any) -> Any:
        return {"days": 1, "name": answers["days"].text}

    def with_text(at: float, text: str) -> None:
        plan = make_plan(TOWN, probes={"sample": make_probe(parse)})
        run = begin(store, plan, started_at=at)
        audit(plan, {"ssh": ask_with(text)}, store, run, NOBODY, make_pace(clock=lambda: at))
        store.keep_findings(run, [_named(f, text) for f in run.findings()])

    with_text(NOON - 400 * DAY, "canary.martin " + "x" * 300_000)
    with_text(NOON, "young.durand")
    store.close()
    store = Store(str(path))
    before = path.stat().st_size
    freed = store.prune(store.old(NOON - 395 * DAY, NOON), NOON)
    assert 0 < freed == before - path.stat().st_size
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"canary.martin" not in everything
    assert b"young.durand" in everything


def _named(finding: Any, text: str) -> Any:
    return replace(finding, reasons=(Reason("name", "equals", "x", text),))


def test_a_store_that_cannot_shrink_is_made_so_once(path: Path) -> None:
    """Files of an earlier version keep their free pages for themselves."""
    store = Store(str(path))
    kept(store, NOON - 400 * DAY, "1" + "".join(random.choices(" \n\t", k=200_000)))
    kept(store, NOON)
    store.close()
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA auto_vacuum=NONE")
        db.execute("VACUUM")
        assert db.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    store = Store(str(path))
    before = path.stat().st_size
    assert pruned(store, NOON) == [1]
    assert path.stat().st_size < before
    assert sqlite3.connect(path).execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert len(list(store.run("latest").findings())) == 2


def test_killed_on_the_way_the_next_one_does_the_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(path))
    for day in range(4):
        kept(store, NOON - (500 - day) * DAY, str(day))
    kept(store, NOON)
    monkeypatch.setattr("auditor.prune._sweep", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pruned(store, NOON)
    monkeypatch.undo()
    store.close()
    store = Store(str(path), create=False)
    assert rows(path)["run"] == 1
    assert pruned(store, NOON) == []
    with sqlite3.connect(path) as db:
        assert db.execute(
            "SELECT count(*) FROM evidence WHERE digest NOT IN (SELECT evidence FROM answer)"
        ).fetchone() == (0,)
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


GROW = """
import sqlite3, sys
from auditor.store import Store
path, runs, hosts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
Store(path).close()
db = sqlite3.connect(path)
db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) INSERT INTO run (number, id, state, started_at, header, catalogue)"
  " SELECT i, i, 'complete', i * 86400.0, json_object('estate', 'town', 'limit', ''), '{}' FROM n", (runs,))
db.execute("INSERT INTO host SELECT r.number, h.value, 'h' || h.value, '{}', r.started_at, 'm', 0, 'own', 1.0 FROM run r,"
  " json_each('[' || substr(replace(hex(zeroblob(?)), '00', ',1'), 2) || ']') j, (SELECT 1) JOIN (SELECT j2.key AS value FROM"
  " json_each('[' || substr(replace(hex(zeroblob(?)), '00', ',1'), 2) || ']') j2) h WHERE j.key = 0", (1, hosts))
db.execute("INSERT INTO answer SELECT h.run, h.seq, x'01', randomblob(32), 1.0, NULL FROM host h")
db.execute("INSERT INTO evidence SELECT evidence, randomblob(200) FROM answer")
db.execute("INSERT INTO finding SELECT run, seq, 's', 'c', 'fail', 'high', 'f', '{}' FROM host")
db.commit()
db.close()
import resource
store = Store(path, create=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
now = (runs + 1) * 86400.0
gone = store.old(now - runs // 2 * 86400.0, now)
store.prune(gone, now)
print(len(gone), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_follow_the_store(tmp_path: Path) -> None:
    """Ten times the runs: as much memory, give or take the pages that SQLite keeps."""
    grown = []
    for runs in (20, 200):
        done = subprocess.run(
            [sys.executable, "-c", GROW, str(tmp_path / f"{runs}.db"), str(runs), "500"],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        gone, grew = map(int, done.stdout.split())
        assert gone == runs // 2
        grown.append(grew)
    assert grown[1] - grown[0] < 8 * 1024, grown
