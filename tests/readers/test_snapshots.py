"""Lists of restore points as restic and borg print them; and whatever else may come."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.readers import snapshots
from auditor.readers.snapshots import RestorePoint

READERS = pytest.mark.parametrize("read", [snapshots.restic, snapshots.borg])


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.123456789Z", 10.123456),
        ("1970-01-01T02:00:10.5+02:00", 10.5),
        ("1970-01-01T00:00:10.000000", 10.0),
        ("1970-01-01 00:00:10", 10.0),
    ],
)
def test_times(stamp: str, seconds: float) -> None:
    assert snapshots.restic(json.dumps([{"time": stamp, "hostname": "h"}])) == [RestorePoint(seconds, "h")]


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-01-01"])
def test_what_is_no_time(stamp: str) -> None:
    with pytest.raises(Unreadable):
        snapshots.restic(json.dumps([{"time": stamp, "hostname": "h"}]))


@READERS
@pytest.mark.parametrize(
    "text", ["", "{", "1", '"x"', "[" * 100000, "9" * 5000, '[{"hostname": "h"}]', '{"archives": [1]}']
)
def test_what_is_no_list(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["time", "hostname", "archives", "summary", "total_files_processed"]), inner)
    ),
    max_leaves=12,
)


@READERS
@given(document=JSON)
def test_nothing_breaks_it(read: Callable[[str], object], document: object) -> None:
    try:
        read(json.dumps(document))
    except Unreadable:
        pass
