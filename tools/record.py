"""An archive of an audit that never was: recorded answers in, through the real plan, parsers and path, the archive out.

    python tools/record.py ANSWERS.yaml -i ESTATE FILE [POLICY...]

ANSWERS.yaml says when the answers are of, and for each host what it answers to each probe, or why it answers nothing:

    at: 2026-11-18T11:06:40Z
    hosts:
      web01:
        backups: cases/web01-backups.yaml     # a file with `answers`, as those of tests/probes; a path beside this file
        journal:
          retention: {stdout: "...", exit_code: 0}
          files: {files: {/etc/systemd/journald.conf: "[Journal]\n"}, denied: [/etc/secret]}
          reach: {failure: no_privilege, message: sudo}
      pc7: {failure: unreachable, message: "pc7:22: no route to host"}

What most hosts answer is said once, by platform, and `any` holds what several probes ask alike; a host's own answers win:

    usual:
      linux: {any: usual/linux.yaml, time_sync: usual/chrony.yaml}
    hosts:
      web01: {any: [own/busy.yaml, {listeners: {stdout: "00000000:0016\nend\n"}}]}

`@host@` and `@address@` in an answer are the host's own. Every question of the policies to a host needs its answer; what is
missing is said, all of it at once, unless `unrecorded` says what hosts answer to it: {failure: not_asked}.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from auditor import archive, shelves
from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import inputs, sinks
from auditor.commands.beginning import catalogue_of, header_of
from auditor.decisions import in_force
from auditor.errors import InvalidInput, Problem
from auditor.framing.sh import HELLO
from auditor.kinds import RECORDS, Settings
from auditor.load import yaml
from auditor.load.yaml import Document, KeyPath
from auditor.model import CAUSES, Answer, Command, Failure, Host, Output
from auditor.plan import Plan
from auditor.store import Store

SHIPPED = ["policies"]
SYSTEMS = {"linux": "Linux", "windows": "Windows", "freebsd": "FreeBSD", "macos": "Darwin"}

Recorded = dict[str, dict[Command, Answer]]  # by host

USUAL, ANY = " usual", "any"  # what most hosts answer; what several probes ask alike


def record(answers: Path, estate: list[str], file: str, policy: list[str]) -> None:
    """Writes the archive; InvalidInput says all that is wrong with the answers."""
    given = inputs.load(tuple(policy), estate, None, None)
    plan = given.plan
    at, told = recorded(yaml.load(answers), plan)
    day = inputs.civil(at).date().isoformat()
    digests = {_beside(path): digest for path, digest in given.digests.items()}
    kept = Store("")
    try:
        decided = in_force(given.records, plan.estate, given.controls, given.measures, day)
        plan = replace(plan, bounds=decided.bounds, day=day, exempted=decided.unasked())
        pace = Pace(Places(1), 60.0, lambda: at, lambda host, earlier: None, nullcontext, inputs.civil)
        header = replace(header_of(plan, day, digests, at), policies=() if policy == SHIPPED else tuple(policy))
        inputs_kept = replace(
            given.kept, digests={_beside(path): digest for path, digest in given.kept.digests.items()}
        )
        begun = kept.begin(header, catalogue_of(plan), inputs_kept)

        def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
            return iter(told[host.id].items())

        asks = dict.fromkeys({host.connection for host in plan.hosts}, ask)
        asks[RECORDS] = shelves.TRANSPORTS[RECORDS].open(
            Settings(lambda: at, estate=plan.estate, records=given.records)
        )
        run = audit(plan, asks, kept, begun, decided, pace)
        with sinks.sink(file) as stream:
            archive.write(run, stream)
    finally:
        kept.close()


def _beside(path: str) -> str:
    """A path as seen from here, so that an archive says nothing of the machine that it was made on."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else os.path.basename(path)


# ---------------------------------------------------------------- what was recorded


def recorded(document: Document, plan: Plan) -> tuple[float, Recorded]:
    """When the answers are of, and every answer of every host that is asked something."""
    problems: list[Problem] = []
    value = document.value if isinstance(document.value, dict) else {}
    at = _moment(document, value, problems)
    hosts = value.get("hosts") if isinstance(value.get("hosts"), dict) else {}
    assert isinstance(hosts, dict)
    odd = sorted(hosts.keys() - {h.id for h in plan.hosts})
    problems.extend(document.problem(("hosts", n), f"the estate has no host '{n}'", key=True) for n in odd)
    told: Recorded = {}
    usual = value.get("usual") if isinstance(value.get("usual"), dict) else {}
    assert isinstance(usual, dict)
    for index, host in enumerate(plan.hosts):
        if plan.commands_of(index):
            said = hosts.get(host.id)
            if isinstance(said, dict):
                said = {**said, USUAL: usual.get(host.platform, {})}
                told[host.id] = _host(document, plan, index, said, at, problems)
            else:
                problems.append(document.problem(("hosts",), f"nothing is recorded for {host.id}"))
    if problems:
        raise InvalidInput(problems)
    return at, told


def _moment(document: Document, value: Mapping[str, Any], problems: list[Problem]) -> float:
    try:
        return datetime.fromisoformat(str(value.get("at"))).timestamp()
    except ValueError:
        problems.append(document.problem(("at",), "`at` is a moment, as 2026-11-18T11:06:40Z"))
        return 0.0


def _host(
    document: Document, plan: Plan, index: int, said: Mapping[str, Any], at: float, problems: list[Problem]
) -> dict[Command, Answer]:
    host = plan.hosts[index]
    if "failure" in said:
        return dict.fromkeys(plan.commands_of(index), _answer(said, at))
    told: dict[Command, Answer] = {HELLO: hello(host, at)}
    odd = sorted(said.keys() - {*plan.probes, ANY, USUAL})
    problems.extend(document.problem(("hosts", host.id, n), f"there is no probe '{n}'", key=True) for n in odd)
    unrecorded = document.value.get("unrecorded")
    for question in plan.questions_of(index):
        path: KeyPath = ("hosts", host.id, question.probe)
        given = _given(document, path, said.get(question.probe), problems)
        odd = sorted(given.keys() - question.commands.keys())
        problems.extend(document.problem(path, f"{question.probe} asks no '{n}'") for n in odd)
        answers = {**_usual(document, said, question.probe, problems), **given}
        for name, command in question.commands.items():
            spec = _of(host, answers.get(name, unrecorded))
            if spec is None:
                problems.append(document.problem(path, f"{host.id} has no answer to '{name}' of {question.probe}"))
            elif told.setdefault(command, _answer(spec, at)) != _answer(spec, at):
                problems.append(
                    document.problem(path, f"{host.id} answers '{name}' of {question.probe} otherwise elsewhere")
                )
    return told


def _usual(document: Document, said: Mapping[str, Any], probe: str, problems: list[Problem]) -> Mapping[str, Any]:
    """What most hosts answer to a probe, and before it what this one answers to several."""
    usual = said[USUAL]
    found = [
        *(_given(document, ("usual",), usual.get(name), problems) for name in (ANY, probe)),
        _given(document, ("hosts",), said.get(ANY), problems),
    ]
    return {name: spec for given in found for name, spec in given.items()}


def _of(host: Host, spec: Any) -> Any:
    """The answer with the host's own name and address in it."""
    if isinstance(spec, str):
        return spec.replace("@host@", host.id).replace("@address@", host.address)
    if isinstance(spec, dict):
        return {_of(host, key): _of(host, value) for key, value in spec.items()}
    return spec


def _given(document: Document, path: KeyPath, said: Any, problems: list[Problem]) -> Mapping[str, Any]:
    """The answers by name: as they stand, of a file beside, or of a list of those, the later winning."""
    if isinstance(said, list):
        return {name: spec for one in said for name, spec in _given(document, path, one, problems).items()}
    if isinstance(said, str):
        try:
            said = _file(Path(document.file).parent / said)
        except InvalidInput as error:
            problems.extend(error.problems)
            return {}
    return said if isinstance(said, dict) else {}


@lru_cache(maxsize=256)
def _file(path: Path) -> Any:
    return yaml.load(path).value["answers"]


def hello(host: Host, at: float) -> Output:
    """What the host says that it is: itself, with a machine-id of its own."""
    machine = hashlib.sha256(f"recorded {host.id}".encode()).hexdigest()[:32]
    lines = (SYSTEMS.get(host.platform, host.platform), host.id, "0", f"{at:.0f}", machine)
    return Output(0, "\n".join(lines).encode(), b"", at, at)


def _answer(spec: Mapping[str, Any], at: float) -> Answer:
    """An answer as the recorded cases of tests/probes write it."""
    if "failure" in spec:
        if spec["failure"] not in CAUSES:
            raise InvalidInput(f"there is no cause '{spec['failure']}'")
        return Failure(spec["failure"], spec.get("message", ""), at)
    if "files" in spec or "denied" in spec:
        stdout = _as_read(spec.get("files", {}), spec.get("denied", []))
    else:
        stdout = spec.get("stdout", "").encode()
    host_at = spec.get("host_at", at)
    return Output(
        spec.get("exit_code", 0),
        stdout,
        spec.get("stderr", "").encode(),
        at,
        None if host_at is None else float(host_at),
    )


def _as_read(files: Mapping[str, str], denied: list[str]) -> bytes:
    """The bytes that the text which reads files prints for these."""
    parts = [(path.encode(), text.encode()) for path, text in files.items()]
    found = b"".join(b"F %d %d %s\n%s\n" % (len(body), len(name), name, body) for name, body in parts)
    return found + b"".join(b"! %d %s\n" % (len(path.encode()), path.encode()) for path in denied)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("answers", type=Path)
    parser.add_argument("-i", "--estate", action="append", required=True)
    parser.add_argument("file")
    parser.add_argument("policy", nargs="*", default=SHIPPED)
    given = parser.parse_args()
    try:
        record(given.answers, given.estate, given.file, given.policy)
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
