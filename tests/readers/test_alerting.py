"""What a host says of what looks for anomalies: any bytes give products or Unknown, never an error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Failure, Output, Partial, Unknown
from auditor.probes.log_alerting import PROBE
from auditor.probes.questions import alerting

WORDS = "there rules off untold ! path elsewhere wazuh crowdsec suricata ? 1 0 x\x85".split(" ")
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=8).map("\n".join)
PLAIN = Failure("no_privilege")


def output(text: str) -> Output:
    return Output(0, text.encode("utf-8", "surrogateescape"), b"", 0.0, None)


@given(st.binary() | LINES.map(str.encode) | LINES.map(lambda text: f"{text}\nend\n".encode()))
def test_any_answer_gives_products_or_unknown(body: bytes) -> None:
    answer = Output(0, body, b"", 0.0, None)
    answers = {"alerting": PLAIN, "alerting_root": answer, "processes": answer, "processes_root": answer}
    products = PROBE.dialects["linux"].parse(answers, {})["products"]
    assert isinstance(products, Partial | list)
    for product in products.items if isinstance(products, Partial) else products:
        assert isinstance(product["rule_files"], int | Unknown)


def test_an_answer_that_was_cut_tells_nothing() -> None:
    assert alerting.read(output("there crowdsec\nrules crowdsec 3 0\n"), PLAIN).missing is not None


def test_counts_of_odd_sizes_are_no_counts() -> None:
    assert alerting.read(output("rules crowdsec " + "9" * 5000 + " 0\nrules wazuh ٣ 0\nend"), PLAIN).rules == {}


def test_without_root_containers_are_not_told() -> None:
    assert alerting.read(PLAIN, output("end")).missing == Unknown("no_privilege")
