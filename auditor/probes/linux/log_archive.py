"""Answers on a collector's journals, file trees and settings in; what it keeps out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Failure, Unknown
from auditor.readers import log_deletion
from auditor.readers.log_reach import kept_elsewhere, reaching
from auditor.readers.log_room import JOURNAL_REMOTE, LOGROTATE, configured_days, room_days
from auditor.readers.log_stores.journals import JOURNAL, journal
from auditor.readers.log_stores.store import Store
from auditor.readers.log_stores.trees import TREE, trees

# Other engines that hold records, in a store of their own that this probe does not read.
ENGINES = Command(
    r"""for d in /var/lib/elasticsearch /var/lib/opensearch /var/lib/wazuh-indexer /var/lib/graylog-server /var/lib/loki \
  /opt/splunk/var/lib/splunk /var/lib/quickwit /var/lib/clickhouse; do
  if [ -e "$d" ]; then echo "$d"; fi
done
[ -x /var/lib ] && echo looked""",
    timeout_s=5,
    cap_bytes=4096,
)


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    directories = tuple(args.get("directories", ()))
    tree = replace(TREE, arguments=directories)
    return {
        "journal": JOURNAL,
        "tree": tree,
        "engines": ENGINES,
        "logrotate": LOGROTATE,
        "deletion": log_deletion.DELETION,
        "journal_remote": JOURNAL_REMOTE,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    found = journal(answers["journal"])
    beside = trees(answers["tree"])
    unseen = next((s for s in (found, beside) if isinstance(s, Unknown)), None)
    stores = [*([found] if isinstance(found, Store) else []), *(beside if isinstance(beside, list) else [])]
    shown = [] if unseen else stores
    engines = _engines(answers["engines"])
    elsewhere = kept_elsewhere(engines)
    return {
        **reaching(stores, unseen, elsewhere, answers["journal"], args),
        "other_engines": engines,
        "configured_days": configured_days(answers, shown, unseen or elsewhere),
        "room_days": room_days(answers["journal_remote"], shown, unseen or elsewhere),
    }


def _engines(answer: Answer) -> Fact:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if "looked" not in lines:
        return Unknown("no_privilege", "/var/lib")
    return [line for line in lines if line.startswith("/")]
