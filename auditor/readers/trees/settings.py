"""The files of journald, timesyncd and logrotate in a tree in; the values that they set out, each with its lines. Pure.

What no file says is as the program was built: its packages differ in that. Sources: journald.conf(5), logrotate(8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.model import Answer, Command, Unknown
from auditor.readers import files, logrotate, systemd_conf
from auditor.readers.trees import places
from auditor.readers.trees.included import unseen

JOURNALD = Command(systemd_conf.globs("journald.conf"), kind="read", mask="systemd")
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*",
    kind="read",
    mask="logrotate",
    cap_bytes=262144,
)
MAIN = ("/etc/logrotate.conf", "/usr/etc/logrotate.conf")
SYSLOG = ("/var/log/syslog", "/var/log/messages")
Placed = tuple[str | float | Unknown, tuple[str, ...]]


def storage(answer: Answer, valid: tuple[str, ...]) -> Placed:
    """journald's `Storage=`, and the lines that set it in files that count."""
    found = files.read(answer)
    if found.gap:
        return found.gap, ()
    texts = systemd_conf.effective(found.texts, "journald.conf")
    value = systemd_conf.last_valid(systemd_conf.assignments(texts, "Journal", "Storage"), valid, "")
    counting = {path: text for path, text in found.texts.items() if text in texts}
    where = places.setting(counting, "Storage")
    return value or Unknown("not_observable", "Storage= as journald was built"), where


def syslog_kept(answer: Answer) -> Placed:
    """How long logrotate keeps the syslog files. Without the file that it begins with, nobody knows what a block starts from."""
    found = files.read(answer)
    main = next((path for path in MAIN if path in found.texts), None)
    if found.gap or main is None:
        return found.gap or Unknown("not_observable", MAIN[0]), ()
    texts = {main: found.texts[main], **{p: t for p, t in _beside(found.texts).items() if p not in MAIN}}
    gaps = [unseen(LOGROTATE, glob) for text in texts.values() for glob in _elsewhere(text)]
    if gaps:
        return gaps[0], ()
    for path in SYSLOG:
        kept = logrotate.kept_days(texts, path)
        if kept is not None:
            return kept, places.naming(texts, path)
    return Unknown("not_observable", "what rotates the syslog files"), ()


def _elsewhere(text: str) -> Iterator[str]:
    yield from (
        f"{path}/*" for path in logrotate.included(text) if path not in ("/etc/logrotate.d", "/usr/etc/logrotate.d")
    )


def _beside(texts: Mapping[str, str]) -> Mapping[str, str]:
    """A file of /etc stands in the place of the package's own (logrotate of SUSE)."""
    own = {path.rpartition("/")[2] for path in texts if path.startswith("/etc/logrotate.d/")}
    return {p: t for p, t in texts.items() if not p.startswith("/usr/etc/") or p.rpartition("/")[2] not in own}
