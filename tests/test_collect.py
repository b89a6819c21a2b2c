"""Hosts are worked on a bounded number at a time; one that breaks costs itself alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest

from auditor.collect import Places, answers, each
from auditor.model import Answer, Command, Failure, Host, Output

HOST = Host("h", "127.0.0.1")
A, B = Command("a"), Command("b")


def told(result: Answer) -> Answer:
    return result


def no_defect(item: int, error: Exception) -> int:
    raise AssertionError(item) from error


class Crowd:
    """How many are inside now, and were at the most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            return self.now

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self.now -= 1


# ---------------------------------------------------------------- one host


def test_what_is_not_answered_is_a_failure() -> None:
    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        yield A, Output(0, b"x", b"", 1.0)

    assert answers(HOST, (A, B), ask, 5.0) == {A: Output(0, b"x", b"", 1.0), B: Failure("closed")}


def test_a_host_without_a_way_in_says_so() -> None:
    assert answers(HOST, (A,), None, 5.0) == {A: Failure("no_transport", "ssh")}


def test_nothing_is_asked_where_there_is_no_question() -> None:
    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        raise AssertionError("asked")

    assert answers(HOST, (), ask, 5.0) == {}


# ---------------------------------------------------------------- all hosts


@pytest.mark.parametrize("jobs", [1, 2, 7, 64])
def test_every_item_comes_back_once(jobs: int) -> None:
    assert sorted(each(range(50), lambda i: i * 2, no_defect, Places(jobs))) == [i * 2 for i in range(50)]


def test_nothing_to_do() -> None:
    assert list(each([], lambda i: i, no_defect, Places(4))) == []


def test_no_more_than_jobs_at_a_time() -> None:
    running = Crowd()

    def work(item: int) -> int:
        with running:
            time.sleep(0.01)
        return item

    assert len(list(each(range(40), work, no_defect, Places(5)))) == 40
    assert 2 <= running.most <= 5


def test_a_slow_item_does_not_hold_the_others_back() -> None:
    gate = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            gate.wait(10)
        return item

    coming = each(range(10), work, no_defect, Places(2))
    first = [next(coming) for _ in range(9)]
    gate.set()
    assert sorted(first) == list(range(1, 10))
    assert list(coming) == [0]


def test_a_defect_costs_its_item_alone_and_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def work(item: int) -> str:
        if item == 3:
            raise KeyError("a bug")
        return str(item)

    got = sorted(each(range(6), work, lambda item, error: f"{item} broke: {error!r}", Places(3)))
    assert got == ["0", "1", "2", "3 broke: KeyError('a bug')", "4", "5"]
    assert "Traceback" in caplog.text
    assert "KeyError" in caplog.text


def test_results_wait_for_the_caller() -> None:
    """Memory follows concurrency: the threads do not run ahead of who takes the results."""
    begun: list[int] = []
    coming = each(range(1000), lambda i: begun.append(i) or i, no_defect, Places(3))
    next(coming)
    time.sleep(0.2)
    assert len(begun) <= 1 + 3 + 3 + 3  # taken, waiting, held by a thread, and one more each while it puts
    coming.close()


def test_a_caller_that_goes_away_ends_the_threads() -> None:
    begun: list[int] = []
    before = threading.active_count()
    coming = each(range(1000), lambda i: begun.append(i) or i, no_defect, Places(4))
    next(coming)
    coming.close()
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= before
    assert len(begun) < 30


def test_an_interruption_reaches_the_caller_and_keeps_what_came() -> None:
    def interrupting() -> Iterator[int]:
        for got in each(range(20), told, no_defect, Places(2)):  # type: ignore[arg-type]
            yield got
            if got == 5:
                raise KeyboardInterrupt

    came = []
    with pytest.raises(KeyboardInterrupt):
        for got in interrupting():
            came.append(got)
    assert 5 in came


# ---------------------------------------------------------------- who waits for a connection


def test_who_waits_for_a_connection_lends_its_place() -> None:
    """Silent hosts, four times as many as there are places, end only when all that answer have been asked."""
    places, answered, lock = Places(3), threading.Event(), threading.Lock()
    left = 50

    def work(item: int) -> int:
        nonlocal left
        if item % 5 == 0:
            with places.connecting(0):
                assert answered.wait(30)
            return item
        with lock:
            left -= 1
            if left == 2:
                answered.set()
        return item

    assert sorted(each(range(60), work, no_defect, places)) == list(range(60))


def test_a_place_is_back_before_another_host_begins() -> None:
    places, begun = Places(1), threading.Event()
    order: list[str] = []

    def work(item: int) -> int:
        order.append(f"{item} begins")
        if item == 0:
            with places.connecting(0):
                assert begun.wait(30)
            order.append("0 is back")
        if item == 1:
            begun.set()
            until = time.monotonic() + 30
            while not places._returning and time.monotonic() < until:
                time.sleep(0.001)
        order.append(f"{item} ends")
        return item

    list(each(range(3), work, no_defect, places))
    assert order == ["0 begins", "1 begins", "1 ends", "0 is back", "0 ends", "2 begins", "2 ends"]


def test_no_more_than_jobs_are_asked_whatever_connects() -> None:
    places, asking = Places(3), Crowd()

    def work(item: int) -> int:
        with places.connecting(0):
            time.sleep(0.001 * (item % 7))
        with asking:
            time.sleep(0.002)
        return item

    assert len(list(each(range(80), work, no_defect, places))) == 80
    assert asking.most <= 3


def test_only_so_many_wait_aside() -> None:
    places, waiting, three = Places(1, aside=2), Crowd(), threading.Event()

    def work(item: int) -> int:
        with places.connecting(0), waiting as now:
            if now == 3:
                three.set()
            assert three.wait(30)
            time.sleep(0.005)
        return item

    assert len(list(each(range(20), work, no_defect, places))) == 20
    assert waiting.most == 3


def test_a_connection_that_is_there_in_a_moment_lends_nothing() -> None:
    places, inside = Places(2), Crowd()

    def work(item: int) -> int:
        with places.connecting(3600), inside:
            time.sleep(0.002)
        return item

    assert len(list(each(range(20), work, no_defect, places))) == 20
    assert inside.most <= 2


def test_a_connection_that_fails_gives_its_place_back() -> None:
    places = Places(2)

    def work(item: int) -> int:
        with places.connecting(0):
            raise OSError("no route")

    assert list(each(range(20), work, lambda item, error: -1, places)) == [-1] * 20
    assert (places._held, places._room, places._connecting) == (0, 192, {})


# ---------------------------------------------------------------- groups


def test_a_full_group_holds_up_no_other_host() -> None:
    """One of `site` at a time; the first of them waits until all others are done, in two places."""
    done, others, inside = threading.Event(), count(1), Crowd()

    def work(item: int) -> int:
        if item >= 5:
            if next(others) == 15:
                done.set()
            return item
        with inside:
            assert done.wait(30)
        return item

    got = each(range(20), work, no_defect, Places(2), lambda item: (("site", 1),) if item < 5 else ())
    assert sorted(got) == list(range(20))
    assert inside.most == 1


def test_all_limits_of_a_host_hold_also_while_it_connects() -> None:
    places, lock = Places(16), threading.Lock()
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()
    limits = {0: (("all", 5), ("a", 2)), 1: (("all", 5), ("b", 4)), 2: (("all", 5),)}

    def work(item: int) -> int:
        groups = [group for group, _ in limits[item % 3]]
        with lock:
            inside.update(groups)
            most.update({g: max(0, inside[g] - most[g]) for g in groups})
        with places.connecting(0):
            time.sleep(0.002)
        with lock:
            inside.subtract(groups)
        return item

    assert len(list(each(range(60), work, no_defect, places, lambda item: limits[item % 3]))) == 60
    assert most["a"] <= 2
    assert most["b"] <= 4
    assert most["all"] == 5


def test_without_threads_hosts_are_asked_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may give no more threads."""
    start = threading.Thread.start

    def none_for_hosts(thread: threading.Thread) -> None:
        if thread.name == "host":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", none_for_hosts)
    assert sorted(each(range(9), lambda i: i, no_defect, Places(3))) == list(range(9))
