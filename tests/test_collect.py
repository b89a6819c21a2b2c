"""Hosts are worked on a bounded number at a time; one that breaks costs itself alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from auditor.collect import Places, answers, each
from auditor.model import Answer, Command, Failure, Host, Output

HOST = Host("h", "127.0.0.1")
A, B = Command("a"), Command("b")


def told(result: Answer) -> Answer:
    return result


def no_defect(item: int, error: Exception) -> int:
    raise AssertionError(item) from error


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
    running, most, lock = 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return item

    assert len(list(each(range(40), work, no_defect, Places(5)))) == 40
    assert 2 <= most <= 5


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
