"""A run in memory that holds one of everything: each outcome, decisions, gaps, and texts that mean harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.document import finding_to_plain
from auditor.kinds import Reporter, Voice
from auditor.model import (
    ActionSeen,
    Check,
    Control,
    Coverage,
    Finding,
    Header,
    HostSeen,
    IdleDecision,
    Measure,
    Outcome,
    Perimeter,
    Reason,
    Run,
    Sketch,
    StandsBeside,
    Subject,
    Suspended,
    Text,
    ToDo,
    Unknown,
)
from auditor.plan import coverage

FRENCH: Mapping[str, str] = json.loads(
    (Path(__file__).parent.parent / "auditor/locale/fr.json").read_text(encoding="utf-8")
)
AT = 1_795_299_065.0  # 2026-11-21 22:11:05 UTC
HOSTILE = "\udcff \x00 \x1b[31mRED\x1b[0m \ufffe é \u202egpj ]]> <&> \u2028"


def voice(lang: str, **look: bool | int) -> Voice:
    def say(message: str) -> str:
        return FRENCH[message] if lang == "fr" and message in FRENCH else message

    def text(texts: Text) -> str:
        return texts.get(lang) or next(iter(texts.values()), "")

    return replace(Voice(lang, say, text), **look)  # type: ignore[arg-type]


@dataclass
class SampleRun(Run):
    """A run that holds what it is given."""

    header: Header
    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    perimeters: Mapping[str, Perimeter] = field(default_factory=dict)
    all_findings: Sequence[Finding] | Callable[[], Iterator[Finding]] = ()
    all_hosts: Sequence[HostSeen] = ()
    all_idle: Sequence[IdleDecision] = ()
    all_coverage: Sequence[Coverage] = ()
    all_actions: Sequence[ActionSeen] = ()
    all_to_do: Sequence[ToDo] = ()

    def findings(self) -> Iterator[Finding]:
        return self.all_findings() if callable(self.all_findings) else iter(self.all_findings)

    def sketches(self) -> Iterator[Sketch]:
        found = [Sketch(f.seq, f.fingerprint, f.outcome, json.dumps(finding_to_plain(f))) for f in self.findings()]
        return iter(sorted(found, key=lambda s: s.fingerprint))

    def hosts(self) -> Iterator[HostSeen]:
        return iter(self.all_hosts)

    def idle(self) -> Iterator[IdleDecision]:
        return iter(self.all_idle)

    def coverage(self) -> Iterator[Coverage]:
        return iter(self.all_coverage)

    def actions(self) -> Iterator[ActionSeen]:
        return iter(self.all_actions)

    def to_do(self) -> Iterator[ToDo]:
        return iter(self.all_to_do)


def header(**changes: object) -> Header:
    plain = Header(
        number=12,
        id="3fa2c1d09b7e",
        state="complete",
        started_at=AT,
        finished_at=AT + 42,
        as_of="2026-11-21",
        version="0.1.0",
        estate="demo",
        declared=True,
        hosts_expected=1,
        checks_planned=1,
        digests={"policies": "ab12", "estate": "cd34", "decisions": "ef56"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def control(id: str, measure: str, severity: str, en: str, fr: str, fix: str, fix_fr: str) -> Control:
    return Control(
        id=id,
        policy="convention.sample",
        measure=measure,
        revision=1,
        title={"en": en, "fr": fr},
        severity=severity,  # type: ignore[arg-type]
        probe="sample",
        expect={"a": {"equals": 1}},
        why={"en": "It protects the service.", "fr": "Cela protège le service."},
        fix={"en": fix, "fr": fix_fr},
        references={"anssi_hygiene": ("36",)},
        source="policies/convention/sample.yaml:4",
    )


CONTROLS = {
    c.id: c
    for c in (
        control(
            "ssh-root-login-off",
            "admin-accounts",
            "critical",
            "Root does not log in by SSH with a password",
            "Root ne se connecte pas en SSH par mot de passe",
            "set PermitRootLogin prohibit-password in /etc/ssh/sshd_config.d/10-root.conf, then systemctl reload ssh",
            "mettre PermitRootLogin prohibit-password dans /etc/ssh/sshd_config.d/10-root.conf, puis systemctl reload ssh",
        ),
        control(
            "logins-ask-two-factors",
            "admin-accounts",
            "high",
            "Each administrator's login asks for two factors",
            "Chaque connexion d'administrateur demande deux facteurs",
            "enrol the accounts in the second factor and require it in /etc/pam.d/sshd",
            "enrôler les comptes au second facteur et l'exiger dans /etc/pam.d/sshd",
        ),
        control(
            "journal-keeps-twelve-months",
            "log-retention",
            "high",
            "The journal reaches back about twelve months",
            "Le journal remonte à environ douze mois",
            "set MaxRetentionSec=13month and enough SystemMaxUse in journald.conf",
            "mettre MaxRetentionSec=13month et assez de SystemMaxUse dans journald.conf",
        ),
        control(
            "restore-point-off-site",
            "backup-off-site",
            "critical",
            "A recent restore point lies on a host off site",
            "Un point de restauration récent est sur une machine hors site",
            "send the backups to the off-site repository each night",
            "envoyer les sauvegardes chaque nuit au dépôt hors site",
        ),
        control(
            "clock-synchronised",
            "time-source",
            "medium",
            "The clock follows a time source",
            "L'horloge suit une source de temps",
            "start chrony with two sources",
            "démarrer chrony avec deux sources",
        ),
        control(
            "administrators-are-registered",
            "admin-accounts",
            "medium",
            "Each administrator's account is in the register",
            "Chaque compte d'administrateur est au registre",
            "add the account to the register, or remove it",
            "inscrire le compte au registre, ou le supprimer",
        ),
        control(
            "mail-relay-encrypts",
            "mail-encryption",
            "low",
            "The mail relay encrypts what it sends",
            "Le relais de messagerie chiffre ce qu'il envoie",
            "set smtp_tls_security_level = encrypt",
            "mettre smtp_tls_security_level = encrypt",
        ),
    )
}
MEASURES = {
    m.id: m
    for m in (
        Measure(
            "admin-accounts",
            {"en": "Administration accounts", "fr": "Comptes d'administration"},
            quote="« Les comptes d'administration sont nominatifs. »",
            article="4.1",
        ),
        Measure("log-retention", {"en": "Retention of logs", "fr": "Conservation des journaux"}),
        Measure("backup-off-site", {"en": "Off-site backup", "fr": "Sauvegarde hors site"}),
        Measure("time-source", {"en": "Common time source", "fr": "Source de temps commune"}),
        Measure("mail-encryption", {"en": "Encryption of mail", "fr": "Chiffrement de la messagerie"}),
        Measure("staff-awareness", {"en": "Awareness of staff", "fr": "Sensibilisation des agents"}),
    )
}
PERIMETERS = {
    "epci": Perimeter("epci", "EPCI", "shared", ("SYNDICAT",)),
    "syndicat": Perimeter("syndicat", "SYNDICAT"),
}
ACCEPTED = StandsBeside(
    "ACC-2026-014", "acceptance", "president (SYNDICAT)", "2027-01-31", "the appliance is replaced in January"
)
ROOT_LOGIN = (Reason("permit_root_login", "equals", "prohibit-password", "yes"),)
TWO_FACTORS = tuple(
    Reason("logins[].two_factors", "equals", True, False, element=f"{who} (192.0.2.{n})", person=True)
    for n, who in enumerate(("a.martin", "b.durand", "c.petit", "d.moreau", "e.laurent", "f.simon", "g.michel"), 1)
)
JOURNAL = (Reason("oldest_entry_days", "at_least", 365, 190.25),)
PRIVILEGE = (Reason("logins", "every", None, cause=Unknown("no_privilege", "sudo: a password is required")),)
UNREACHED = (Reason("", "", cause=Unknown("unreachable", "connect to 192.0.2.9 port 22: timed out")),)
OFF_SITE = (
    Reason("repositories[].on_this_host", "equals", False, True, element="/srv/backup"),
    Reason("repositories", "any", {"on_this_host": {"equals": False}, "newest_hours": {"at_most": 48}}, ()),
)
EVIL = (Reason("banner", "matches", "^none$", HOSTILE), Reason("names[]", "equals", "x", 10**300, element=HOSTILE))


def finding(seq: int, subject: Subject, id: str, outcome: str | None, *reasons: Reason, **more: object) -> Finding:
    plain = Finding(
        seq=seq,
        subject=subject,
        control=id,
        outcome=Outcome(outcome) if outcome else None,
        severity=CONTROLS[id].severity if id in CONTROLS else "high",
        fingerprint=f"{id}/{subject.key}",
        reasons=reasons,
        at=AT + 7,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def _of_host(seq: int, host: Subject, turn: int) -> Iterator[Finding]:
    """The findings of one host of the fleet; `turn` decides what is wrong with it."""
    if turn == 9:
        for control_id in ("ssh-root-login-off", "logins-ask-two-factors", "clock-synchronised"):
            yield finding(seq, host, control_id, "unknown", *UNREACHED)
        return
    root = "fail" if turn % 3 else "pass"
    yield finding(seq, host, "ssh-root-login-off", root, *(ROOT_LOGIN if root == "fail" else ()))
    if turn % 5 == 0:
        yield finding(seq, host, "logins-ask-two-factors", "unknown", *PRIVILEGE)
    else:
        yield finding(seq, host, "logins-ask-two-factors", "fail", *TWO_FACTORS[: turn % 5])
    yield finding(seq, host, "clock-synchronised", "pass")


def fleet() -> SampleRun:
    """22 hosts of two perimeters and one perimeter that is judged as a whole; one host is not reached."""
    findings: list[Finding] = []
    hosts: list[HostSeen] = []
    for turn in range(1, 21):
        subject = Subject("host", f"srv{turn:02d}", "epci")
        findings += _of_host(turn, subject, turn)
        away = Unknown("unreachable", "connect to 192.0.2.9 port 22: timed out") if turn == 9 else None
        hosts.append(HostSeen(subject.id, away, 3, 0 if away else 3, 0.0 if away else AT + 7))
    nas, web = Subject("host", "nas", "syndicat"), Subject("host", "web03.dmz", "syndicat")
    findings += [
        finding(21, nas, "restore-point-off-site", "fail", *OFF_SITE, decision=ACCEPTED),
        finding(21, nas, "journal-keeps-twelve-months", "warn", *JOURNAL, decision=ACCEPTED),
        finding(21, nas, "mail-relay-encrypts", None, Reason("listens", "equals", True, False)),
        finding(22, web, "journal-keeps-twelve-months", "warn", *JOURNAL),
        finding(22, web, "mail-relay-encrypts", "fail", *EVIL),
        finding(22, web, "restore-point-off-site", "unknown", Reason("", "", cause=Unknown("not_told", HOSTILE))),
        finding(
            23,
            Subject("perimeter", "epci", "epci"),
            "administrators-are-registered",
            "fail",
            Reason("names[]", "one_of", "$registers.administrators", "z.inconnu", element="z.inconnu", person=True),
        ),
    ]
    hosts += [HostSeen("nas", None, 3, 3, AT + 8), HostSeen("web03.dmz", None, 3, 2, AT + 9)]
    return SampleRun(
        header(hosts_expected=22, checks_planned=len(findings)),
        CONTROLS,
        MEASURES,
        PERIMETERS,
        findings,
        hosts,
        [
            IdleDecision("ACC-2025-003", "R-EXPIRY", "2026-06-30", "decisions/acc-2025-003.yaml:1"),
            IdleDecision("ACC-2026-020", "R-OWNER", "president (EPCI) / SYNDICAT", "decisions/acc-2026-020.yaml:1"),
        ],
        [
            Coverage(
                Subject("perimeter", perimeter, perimeter),
                "staff-awareness",
                Unknown("nothing_asked", "no control checks it"),
            )
            for perimeter in PERIMETERS
        ]
        + [Coverage(Subject("host", "printer", "epci"), "", Unknown("nothing_asked", "no control applies to it"))],
    )


def one_host() -> SampleRun:
    """One host with each outcome."""
    web = Subject("host", "web01", "syndicat")
    findings = [
        finding(1, web, "clock-synchronised", "pass"),
        finding(2, web, "ssh-root-login-off", "fail", *ROOT_LOGIN),
        finding(3, web, "logins-ask-two-factors", "fail", *TWO_FACTORS),
        finding(4, web, "journal-keeps-twelve-months", "warn", *JOURNAL),
        finding(5, web, "restore-point-off-site", "fail", *OFF_SITE, decision=ACCEPTED),
        finding(6, web, "administrators-are-registered", "unknown", *PRIVILEGE),
        finding(7, web, "mail-relay-encrypts", None, Reason("listens", "equals", True, False)),
    ]
    return SampleRun(
        header(checks_planned=len(findings)),
        CONTROLS,
        MEASURES,
        PERIMETERS,
        findings,
        [HostSeen("web01", None, 7, 6, AT + 7)],
        [IdleDecision("ACC-2025-003", "R-EXPIRY", "2026-06-30", "decisions/acc-2025-003.yaml:1")],
        [
            Coverage(
                Subject("perimeter", "syndicat", "syndicat"),
                "staff-awareness",
                Unknown("nothing_asked", "no control checks it"),
            )
        ],
    )


def alone(*findings: Finding, **changes: object) -> SampleRun:
    """A run of web01 with these findings; `changes` are the header's."""
    run = SampleRun(
        header(**{"checks_planned": len(findings), **changes}), CONTROLS, MEASURES, all_findings=list(findings)
    )
    run.all_hosts = [HostSeen("web01", None, len(findings), len(findings), 1.0)]
    return run


def decided() -> SampleRun:
    """A shared host and one of another's: each kind of decision, a suspended one, an action, and what is to be decided."""
    log, nas = Subject("host", "log01", "epci"), Subject("host", "nas", "syndicat")
    adapted = StandsBeside("ADA-2026-001", "adaptation", "directeur (EPCI)", "2027-05-09", "the disks hold six months")
    exempt = StandsBeside("EXE-2026-001", "exemption", "rssi (EPCI)", "2027-02-01", "the relay is internal")
    lapsed = Suspended("ACC-2026-020", "acceptance", "R-BOUND", "", OFF_SITE[:1])
    later = Suspended("ACC-2026-021", "acceptance", "R-LATER")
    missed = replace(adapted, id="ADA-2026-002")
    findings = [
        finding(1, log, "journal-keeps-twelve-months", "fail", *JOURNAL, decision=adapted, adapted=Outcome.PASS),
        finding(2, log, "clock-synchronised", "fail", decision=missed, adapted=Outcome.FAIL, actions=("ACT-2026-007",)),
        finding(3, log, "mail-relay-encrypts", "warn", decision=exempt),
        finding(4, nas, "restore-point-off-site", "fail", *OFF_SITE, decision=ACCEPTED),
        finding(5, nas, "ssh-root-login-off", "fail", *ROOT_LOGIN, suspended=(lapsed, later)),
    ]
    printer = Subject("host", "printer", "syndicat")
    why = Unknown("nothing_asked", "no control applies to it")
    return SampleRun(
        header(hosts_expected=3, checks_planned=len(findings)),
        CONTROLS,
        MEASURES,
        PERIMETERS,
        findings,
        [
            HostSeen("log01", None, 3, 3, AT + 7),
            HostSeen("nas", None, 2, 2, AT + 7),
            HostSeen("printer", Unknown("nothing_asked"), 0, 0),
        ],
        [IdleDecision("ADA-2026-003", "R-NOTICE", "SYNDICAT", "decisions/a.yaml:2", "adaptation")],
        [Coverage(printer, "", why, False, exempt)],
        [
            ActionSeen(
                "ACT-2026-007", "epci", ("clock-synchronised",), "start chrony", "centre-de-support", "2026-11-01", "open",
                Outcome.WARN, 1, "GLPI-4711", "audit 2026",
            )
        ],
        [
            ToDo("decide", "SYNDICAT", "syndicat", "ssh-root-login-off", "critical", 1, ("nas",), "REC-1"),
            ToDo("communicate", "EPCI", "syndicat", "ssh-root-login-off", "critical", 1, ("nas",), ""),
        ],
    )  # fmt: skip


def rendered(reporter: Reporter, run: Run, by: Voice) -> bytes:
    """All that a reporter writes to its one part."""
    pieces: list[bytes] = []
    reporter.render(run, by, lambda part: pieces.append)
    return b"".join(pieces)


def demo() -> SampleRun:
    """The demo estate as it is planned, with made-up answers: some fail, one host is away, one decision stands."""
    from auditor.commands import inputs

    given = inputs.load((), (str(Path(__file__).parent / "data/town"),), None, None)
    plan = given.plan
    findings: list[Finding] = []
    hosts: list[HostSeen] = []
    for place, host in enumerate(plan.hosts):
        checks = plan.checks_of(place)
        told = [_answer(check, place + turn, host.id == "glpi01") for turn, check in enumerate(checks)]
        measured = sum(one.outcome is not Outcome.UNKNOWN for one in told)
        away = None if measured else Unknown("unreachable" if checks else "nothing_asked")
        findings += told
        hosts.append(HostSeen(host.id, away, len(told), measured, AT + 7 if measured else 0.0))
    findings += [_answer(check, turn, False) for turn, check in enumerate(plan.derived_checks())]
    return SampleRun(
        header(hosts_expected=len(plan.hosts), checks_planned=len(findings), estate="inventories/demo"),
        {c.id: c for c in plan.controls},
        plan.measures,
        plan.estate.perimeters,
        findings,
        hosts,
        [IdleDecision("ACC-2025-001", "R-EXPIRY", "2026-06-30", "decisions/acc-2025-001.yaml:1")],
        list(coverage(plan)),
    )


def _answer(check: Check, turn: int, away: bool) -> Finding:
    """A finding for a check of the demo estate; `turn` decides."""
    known = {"severity": check.control.severity, "gates": check.gates}
    if check.unasked or away or turn % 7 == 5:
        why = check.unasked or Unknown("unreachable", "timed out") if away else Unknown("no_privilege")
        return finding(check.seq, check.subject, check.control.id, "unknown", Reason("", "", cause=why), **known)
    if turn % 3:
        return finding(check.seq, check.subject, check.control.id, "pass", **known)
    accepted = check.subject.id == "pc-syn-03" and check.control.id.startswith("antivirus")
    known["decision"] = replace(ACCEPTED, id="ACC-2026-003") if accepted else None
    reason = Reason("settings.value", "at_least", 12, turn)
    return finding(check.seq, check.subject, check.control.id, "warn" if turn % 2 else "fail", reason, **known)
