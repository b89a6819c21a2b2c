"""The nouns, frozen: the same words in YAML, Python, SQL and reports. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from auditor.records import MATRICES, Attestation, Authorisation, DecisionRules, Delegation, May, Recommendation

# ---------------------------------------------------------------- words


class Outcome(StrEnum):
    """What a check came to; there is no fifth."""

    PASS = "pass"
    WARN = "warn"  # the target is missed, the limit is kept
    FAIL = "fail"
    UNKNOWN = "unknown"  # it could not be told, and the cause says why


SEVERITIES = ("low", "medium", "high", "critical")
Severity = Literal["low", "medium", "high", "critical"]
Availability = Literal["always", "office_hours", "roaming"]
Text = Mapping[str, str]  # language ("fr", "en") -> text

# Why something could not be told. The catalogues hold a sentence for each.
CAUSES = {
    "unreachable": "the host did not answer",
    "timeout": "no answer in time",
    "auth": "the host refused our credential",
    "host_key": "the host's key is not the one we know",
    "closed": "the connection closed before the answer was complete",
    "truncated": "the answer was longer than its limit",
    "framing": "the answer does not have the shape we asked for",
    "no_privilege": "the question needs a privilege that we do not have",
    "unreadable": "the answer cannot be read",
    "not_told": "the platform does not tell this",
    "not_asked": "this was not asked",
    "not_observable": "only a running host can tell this",
    "nothing_asked": "nothing asked",
    "other_platform": "the host is not of the platform that the inventory says",
    "other_host": "another host answered at this address",
    "not_measured": "another host that this depends on was not measured",
    "clock_skew": "the host's clock differs too much from ours",
    "last_seen": "no evidence of this host is recent enough",
    "no_transport": "this release has no way in to this host",
    "not_connected": "the inventory says not to connect to this host",
    "not_authorised": "no valid authorisation to audit this perimeter",
    "no_record": "no record tells this",
    "not_entitled": "whoever attests it does not answer for it, or had no mandate that day",
    "altered": "the document is missing, or is not the one that the record names",
    "not_covered": "what was attested does not cover all of this",
    "register_missing": "the register that this is compared with is missing",
    "interrupted": "the run was interrupted",
    "type_mismatch": "the values cannot be compared",
    "regex_timeout": "the pattern took too long on this text",
    "internal": "a defect of the auditor; please report it",
}


# ---------------------------------------------------------------- truth and facts


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that could not be told. `cause` is a key of CAUSES, `detail` free text from us or from a host."""

    cause: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise ValueError(f"no such cause: {self.cause}")


@dataclass(frozen=True, slots=True)
class Partial:
    """A list of which something is missing: what is there is true, what is not there proves nothing."""

    items: tuple[Any, ...]
    missing: Unknown


# A fact: None ("looked, not there"), bool, int, float, str, Unknown, a list or Partial of facts, a dict of facts.
Fact = Any
Facts = Mapping[str, Fact]


# ---------------------------------------------------------------- asking


@dataclass(frozen=True, slots=True)
class Command:
    """One atomic thing to read or run on a host.

    `text` is a constant POSIX shell text (kind "run") or whitespace-separated file globs (kind "read");
    `arguments` stand beside it as data ("$1", "$2" ... for a text) and are never interpolated into it. `takes` is the type
    of the arguments of an elevated text; the host refuses others, and without a type any (see framing/collector.py).
    `mask` names what takes secrets out of the files of a tree before anything is kept (readers/masks.py).
    """

    text: str
    kind: Literal["run", "read"] = "run"
    arguments: tuple[str, ...] = ()
    elevated: bool = False
    timeout_s: int = 20
    cap_bytes: int = 65536
    takes: Literal["", "address", "number", "name", "path"] = ""
    mask: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A raw answer. `at` is when it came by our clock, `host_at` by the host's (seconds since 1970 UTC)."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    at: float
    host_at: float | None = None

    @property
    def text(self) -> str:
        """Standard output; bytes that are not UTF-8 are shown as `\\xff`, so that no later step can choke on them."""
        return self.stdout.decode("utf-8", "backslashreplace")

    @property
    def error_text(self) -> str:
        return self.stderr.decode("utf-8", "backslashreplace")


Hurdle = Literal[
    "name", "port", "silent", "relay", "no_ssh", "algorithms", "key_unknown", "key_changed", "key_revoked", "certificate",
    "our_key", "login", "more_factors", "password", "shell", "no_sudo", "sudo", "old_text",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What a way in broke at, as data for whoever mends it; finer than a cause, and never stored.

    `address`, `port` and `user` are of the end that it broke at, a `bastion` or the host; empty where no end was in the
    way. `name` is how known_hosts writes that end, `files` where it was looked for, `key` what it showed: type and blob.
    """

    hurdle: Hurdle
    address: str = ""
    port: int = 0
    user: str = ""
    bastion: bool = False
    name: str = ""
    files: tuple[str, ...] = ()
    key: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer: `cause` is a key of CAUSES. Two are equal whatever the obstacle."""

    cause: str
    message: str = ""
    at: float = 0.0
    obstacle: Obstacle | None = field(default=None, compare=False, repr=False)

    def unknown(self) -> Unknown:
        return Unknown(self.cause, self.message)


Answer = Output | Failure


# ---------------------------------------------------------------- the estate

# Groups of which only so many hosts may be asked at the same time: (name, how many).
Limits = tuple[tuple[str, int], ...]


BY_HAND = "by_hand"  # the connection, and the medium, of a host where the script is run by hand
UNNAMED = "estate"  # the entity, and the perimeter, of an inventory for which nobody named any


@dataclass(frozen=True, slots=True)
class Entity:
    """An organisation. `logo` is a picture as a `data:` address, empty where none was given."""

    id: str
    name: str = ""
    logo: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Perimeter:
    """A part of the information system with one owner, since a day; `operated_by` and `advised_by` are entities too.

    `means` says of each means that a measure needs (`backup`) whether it was acquired.
    """

    id: str
    owner: str = ""
    kind: Literal["shared", "exclusive"] = "exclusive"
    beneficiaries: tuple[str, ...] = ()
    operated_by: str = ""
    advised_by: str = ""
    since: str = ""
    means: Mapping[str, bool] = field(default_factory=dict, hash=False)
    authorisation: Authorisation | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A network segment with its VLAN and addresses (CIDR texts)."""

    id: str
    vlan: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A function that answers for something, of an entity."""

    id: str
    entity: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Signatory:
    """A role that `may` sign decisions for an entity, and attest for it whatever it may sign, from `since` to `until` (ISO dates, inclusive; empty: open)."""

    role: str
    entity: str
    since: str = ""
    until: str = ""
    may: tuple[May, ...] = ("acceptance", "adaptation")


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the inventory. Names a key file, never holds a secret. `connection` "none" says `why`.

    `password` and `passphrase` are references to secrets (`env:NAME`, `file:PATH` ...: see
    credentials.py), never secrets; `proxy_jump` ("user@host:port,...") is said as in ssh_config, `known_hosts` is the path
    of a file that stands in the place of the user's own; `ssh_options` are further keywords of ssh_config, in lower case,
    each with its value, that win over it; `legacy` holds the outdated algorithms that this host alone may use ("ssh-rsa"); `winrm` holds
    the `ansible_winrm_*` variables, by short name.
    `quiet_hours_s`: from when until when no connection is opened, in seconds after midnight in France.
    `evidence_max_age_s`: how old evidence of an earlier run may be to be judged in place of an answer.
    `reinstalled_at`: an ISO day, in France; evidence of that day and before is of another system.
    `at_once`: the groups of this host of which only so many hosts may be asked at the same time.
    `was`: the id that it had first, where it has been renamed.
    `aliases`: further names and addresses under which others know it; `logs`: whether it must send its own to a collector.
    `barred`: why no connection may be opened to it: its owner did not authorise the audit. Empty: it may.
    `tier`: of the accounts that may log in there, 0 for what rules the domain; None where nobody said.
    `tree`: the path of the files that stand for it, as written; its connection is `tree`, and nothing of it is run.
    """

    id: str
    address: str
    connection: str = "ssh"
    port: int = 0  # 0: as ssh_config says, else the protocol's own
    user: str = ""
    key_file: str = ""
    become: bool = True
    platform: str = "linux"
    why: str = ""
    perimeter: str = ""
    zone: str = ""
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    commissioned_at: str = ""
    password: str = ""
    passphrase: str = ""
    proxy_jump: str = ""
    known_hosts: str = ""
    ssh_options: tuple[tuple[str, str], ...] = ()
    winrm: Mapping[str, str] = field(default_factory=dict, hash=False)
    legacy: tuple[str, ...] = ()
    availability: Availability = "always"
    quiet_hours_s: tuple[int, int] | None = None
    evidence_max_age_s: float = 26 * 3600.0
    reinstalled_at: str = ""
    at_once: Limits = ()
    was: str = ""
    aliases: tuple[str, ...] = ()
    logs: Literal["required", "not_required"] = "required"
    tier: int | None = None
    barred: str = ""
    tree: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """A list that people keep (a record): its entries are compared with, never printed as expected.

    `perimeter` is empty for a register of the whole estate. `left_at` dates the entries that left (seconds since 1970
    UTC): such an entry counts once that is longer ago than `older_than_s`.
    """

    id: str
    entries: tuple[str, ...]
    perimeter: str = ""
    source: str = ""
    left_at: Mapping[str, float] = field(default_factory=dict, hash=False)
    older_than_s: float = 0.0
    reviewed_at: str = ""  # an ISO day; empty where the register does not say

    def counting(self, at: float) -> list[str]:
        """The entries that count at this moment; one without a date always does."""
        return [e for e in self.entries if e not in self.left_at or at - self.left_at[e] > self.older_than_s]


@dataclass(frozen=True, slots=True)
class Estate:
    """All that is inventoried. `declared` is false for the one made up when a run is given none.

    `groups` gives each group's hosts in the inventory's own order; `notices` what the reader of the inventory ought to know.
    `place` is the absolute path of what was named first.
    """

    hosts: tuple[Host, ...]
    perimeters: Mapping[str, Perimeter] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    entities: Mapping[str, Entity] = field(default_factory=dict)
    signatories: tuple[Signatory, ...] = ()
    registers: tuple[Register, ...] = ()
    declared: bool = True
    source: str = ""
    place: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notices: tuple[Text, ...] = ()
    auditing_entity: str = ""  # whose audit this is; empty where all perimeters have one owner
    roles: Mapping[str, Role] = field(default_factory=dict)
    delegations: tuple[Delegation, ...] = ()
    recommendations: Mapping[str, Recommendation] = field(default_factory=dict)
    matrices: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=lambda: MATRICES)
    rules: DecisionRules = field(default_factory=DecisionRules)
    attestations: tuple[Attestation, ...] = ()

    def host(self, id: str) -> Host | None:
        return next((h for h in self.hosts if h.id == id), None)


# ---------------------------------------------------------------- policy


@dataclass(frozen=True, slots=True)
class Passage:
    """Exact French words of one of the texts, and where they stand; `document` is empty where none is said."""

    quote: str
    article: str
    document: str = ""


Owner = Literal["", "perimeter", "operator", "operator-everywhere", "beneficiary", "both", "member"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What the convention asks: its exact French words, their force, the parameters that controls may name.

    `owner` is who answers for it (owed.py says on which perimeters), `role` who does it there. `period` names the
    parameter that says how old a statement may be; `sources` say where each parameter comes from.
    schemas/measures.schema.json says what each word means.
    """

    id: str
    title: Text
    quote: str = ""
    article: str = ""
    force: str = ""
    regime: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    document: str = ""
    also: tuple[Passage, ...] = ()
    owner: Owner = ""
    role: str = ""
    kind: tuple[str, ...] = ()
    period: str = ""
    sources: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement made checkable. `expect`, `tolerate` and `concerns` are kept as written (see expectations.py)."""

    id: str
    policy: str
    measure: str
    revision: int
    title: Text
    severity: Severity
    probe: str
    expect: Mapping[str, Any]
    why: Text
    fix: Text
    tolerate: Mapping[str, Any] = field(default_factory=dict)
    concerns: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""  # file:line, for reports
    of: Literal["host", "perimeter"] = "host"  # what it is asked of, as its probe says
    basis: str = ""  # a digest of all that it judges by; two runs of one basis can be compared


@dataclass(frozen=True, slots=True)
class Policy:
    id: str
    title: Text
    controls: tuple[Control, ...]
    source: str = ""


# ---------------------------------------------------------------- plan


@dataclass(frozen=True, slots=True)
class Subject:
    """What a control is asked of. `kind` "host" or "perimeter"; `key` is unique in a run, e.g. `host:web01`.

    `was` is the id that it had first, where it has another now; `lasting` stays the same through a change of name.
    """

    kind: Literal["host", "perimeter"]
    id: str
    perimeter: str = ""
    was: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def lasting(self) -> str:
        return f"{self.kind}:{self.was or self.id}"


@dataclass(frozen=True, slots=True)
class Check:
    """A control planned on a subject. `seq` is its place in the plan, which is the order of every report.

    `unasked` says why nothing can be asked (no collector declared, no such platform ...); then `commands` is empty.
    `gates` is false where an `unknown` must not change the exit code (no estate was given).
    """

    seq: int
    control: Control
    subject: Subject
    arguments: Mapping[str, Any] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)  # what the `$names` of the control stand for
    unasked: Unknown | None = None
    gates: bool = True
    bounds: tuple[Bound, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """What a decision asks of the facts themselves, looked at while they are there.

    `as_long_as` must hold for what was accepted to be still that. An adaptation (`adapts`) judges anew, with `expect` and
    `tolerate` over those of the control and `values` over those of its names.
    """

    decision: str
    as_long_as: Mapping[str, Any] = field(default_factory=dict)
    adapts: bool = False
    expect: Mapping[str, Any] = field(default_factory=dict)
    tolerate: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A probe put to a host: its arguments, and its commands by name."""

    probe: str
    arguments: Mapping[str, Any]
    commands: Mapping[str, Command]

    @property
    def key(self) -> str:
        return question_key(self.probe, self.arguments)


def question_key(probe: str, arguments: Mapping[str, Any]) -> str:
    """What the facts of a question are kept under: the probe, with its arguments where it has some."""
    return f"{probe} {sorted(arguments.items())}" if arguments else probe


# ---------------------------------------------------------------- judging


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding is not a pass, as data; sentences.py puts it in words.

    `element` names the element of a list that matters; `person` says that it is a person's name.
    `places`: the files and lines (`path:line`) of a tree that it comes from, where that is known.
    """

    path: str
    operator: str
    wanted: Any = None
    observed: Any = None
    element: str = ""
    cause: Unknown | None = None
    person: bool = False
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundSeen:
    """What a Bound came to: whether `as_long_as` holds (None: it could not be told), the adapted outcome, and why."""

    decision: str
    holds: bool | None = True
    adapted: Outcome | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to. `outcome` is None when the control does not concern the subject (then `reasons` say why).

    `outcome` is always against the convention. `adapted`: against the target of the adaptation beside it, and what gates.
    `suspended`: decisions about it that do not stand, and why; `actions`: the ids of those that plan to mend it.
    """

    seq: int
    subject: Subject
    control: str
    outcome: Outcome | None
    severity: Severity
    fingerprint: str
    reasons: tuple[Reason, ...] = ()
    at: float = 0.0
    medium: str = "live"
    gates: bool = True
    decision: StandsBeside | None = None
    adapted: Outcome | None = None
    suspended: tuple[Suspended, ...] = ()
    actions: tuple[str, ...] = ()
    bounds: tuple[BoundSeen, ...] = ()  # between evaluation and reconciliation


@dataclass(frozen=True, slots=True)
class StandsBeside:
    """The decision that stands beside a finding, as the report needs it."""

    id: str
    kind: str
    by: str  # the signatory's role and entity
    until: str  # ISO date, inclusive
    why: str
    signed_at: str = ""  # ISO date


@dataclass(frozen=True, slots=True)
class Suspended:
    """A decision about a finding that does not stand beside it now: `code` is a reason code of decisions."""

    id: str
    kind: str
    code: str
    detail: str = ""
    reasons: tuple[Reason, ...] = ()


NoteState = Literal["void", "part", "due", "idle"]


@dataclass(frozen=True, slots=True)
class IdleDecision:
    """What is wrong with a decision: `code` is a reason code of decisions.

    `state`: `void`, it covers nothing; `part`, something of it lapsed; `due`, it holds and somebody has to do something;
    `idle`, nothing needs it.
    """

    id: str
    code: str
    detail: str
    source: str
    kind: str = "acceptance"
    state: NoteState = "void"
    perimeter: str = ""  # the one that the record names


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """An action and where it stands: `late` is pass in time, warn overdue, fail past the grace; `open` findings it is about."""

    id: str
    perimeter: str
    controls: tuple[str, ...]
    text: str
    responsible: str
    due: str
    status: str
    late: Outcome
    open: int
    ticket: str = ""
    raised_by: str = ""
    awaits: str = ""  # "arbitration": nobody mends until then


@dataclass(frozen=True, slots=True)
class ToDo:
    """What an entity has to do about open findings of one control on another's perimeter.

    `decide`: its owner, to adopt the recommendation or to accept the risk; `communicate`: its adviser, the recommendation.
    `subjects` are the first of them, `findings` counts them all; `recommendation` is empty where there is none, and
    `communicated_at` (an ISO date) where it was not communicated. `signatories`: the roles that may decide.
    """

    what: Literal["decide", "communicate"]
    entity: str
    perimeter: str
    control: str
    severity: Severity
    findings: int
    subjects: tuple[str, ...] = ()
    recommendation: str = ""
    communicated_at: str = ""
    signatories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Something that the convention or the inventory names and that nothing was asked of."""

    subject: Subject
    measure: str  # empty: the host has no check at all
    cause: Unknown
    gates: bool = True
    decision: StandsBeside | None = None  # the exemption that says why nothing needs to be asked


@dataclass(frozen=True, slots=True)
class HostSeen:
    """How a host took part: `failure` is None when what it told counts.

    `identity` is what the host said it is (its own name and a digest of its machine-id), empty when it did not say.
    `evidence_at` dates the evidence of an earlier run that it was judged on; 0 when it was judged on what it said now.
    `asked` is false where no connection was tried on purpose: `connection: none`, quiet hours, fresh evidence.
    `medium` is "live", or "by_hand" where somebody ran the script there and brought the answer.
    `attested`: a record in force that names it says something of it.
    `was` is the id that it had first, where it has been renamed.
    `collector` is what answered as root: "installed SHA256", "piped" (the text of the run's own digest), "" for nothing.
    `known_as`: its address and further names, under which others may speak of it.
    """

    host: str
    failure: Unknown | None
    checks: int
    measured: int
    at: float = 0.0
    identity: str = ""
    evidence_at: float = 0.0
    asked: bool = True
    was: str = ""
    collector: str = ""
    known_as: tuple[str, ...] = ()
    medium: str = "live"
    attested: bool = False


@dataclass(frozen=True, slots=True)
class ReplayOf:
    """The run whose evidence was judged anew: its number where it was kept, its id, its state, and when it began."""

    number: int
    id: str
    state: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Touched:
    """Something that judges, and what a change does to it; `what` names the fields that differ."""

    kind: Literal["reference", "control", "measure", "decision", "host", "file"]
    how: Literal["removed", "changed", "added"]
    name: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trusted:
    """The side that a change was judged by: the git reference as it was given, its commit, and what the change does to it."""

    ref: str
    commit: str
    touched: tuple[Touched, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """What is true of a whole run. `state` is open, complete or partial; `id` is empty while open.

    A replay has the moments of the run that it judges anew: its evidence is of then.
    """

    number: int
    id: str
    state: str
    started_at: float
    finished_at: float
    as_of: str
    version: str
    estate: str
    declared: bool
    hosts_expected: int
    checks_planned: int
    limit: str = ""  # the `--limit` that chose the hosts
    hosts_inventoried: int = 0  # all that the estate names, chosen or not
    policies: tuple[str, ...] = ()  # the policies that were named; none: the shipped ones, all of them
    legacy: tuple[str, ...] = ()  # the hosts that were reached with outdated algorithms, by their own opt-in
    digests: Mapping[str, str] = field(default_factory=dict)
    seen_by: str = ""  # the entity that this is shown to, with nothing of another's; empty: all of it
    replay: ReplayOf | None = None  # no host was asked: this run's evidence was judged anew
    trusted: Trusted | None = None  # what judged is of this side, not of the change


@dataclass(frozen=True, slots=True)
class Sketch:
    """A finding, not read yet: `doc` is what `document.finding_to_plain` gives, as JSON."""

    seq: int
    fingerprint: str
    outcome: str | None
    doc: str


# ---------------------------------------------------------------- two runs

# What became of a finding since another run, in the order in which reports tell it.
Became = Literal["new", "worsened", "lapsed", "unmeasured", "changed", "resolved", "measured", "gone"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What the two runs do not share, by id: without it, counts of both cannot be read together."""

    hosts_added: tuple[str, ...]
    hosts_gone: tuple[str, ...]
    controls_added: tuple[str, ...]
    controls_gone: tuple[str, ...]
    controls_changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caveat:
    """Why the two runs are not quite comparable: a sentence of ours, and what its names stand for."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alike:
    """Changes of one kind, of one control: `subjects` in the order of their names."""

    kind: Became
    control: str
    severity: str
    subjects: tuple[str, ...]
    elements: tuple[str, ...]
    persons: bool  # the elements are names of persons


@dataclass(frozen=True, slots=True)
class Comparison:
    """`counts` by kind, of findings; `alike` gravest first within a kind. `kinds` tells what a finding became, by fingerprint."""

    before: Header
    after: Header
    counts: Mapping[Became, int]
    alike: tuple[Alike, ...]
    moved: Moved
    caveats: tuple[Caveat, ...]
    kinds: Mapping[str, Became]


class Run(ABC):
    """A run as reports read it: a small header, the catalogue it was judged by, and iterators in plan order.

    The iterators may be called again; each call reads anew, so that nothing holds the whole run.
    """

    header: Header
    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    perimeters: Mapping[str, Perimeter]
    entities: Mapping[str, Entity] = {}
    since: Comparison | None = None  # what changed since the run that it was held against

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """In plan order."""

    @abstractmethod
    def sketches(self) -> Iterator[Sketch]:
        """The findings in the order of their fingerprints, so that two runs can be laid side by side."""

    @abstractmethod
    def hosts(self) -> Iterator[HostSeen]:
        """How each host took part."""

    @abstractmethod
    def idle(self) -> Iterator[IdleDecision]:
        """What is wrong with decisions."""

    @abstractmethod
    def coverage(self) -> Iterator[Coverage]:
        """What nothing was asked of."""

    @abstractmethod
    def actions(self) -> Iterator[ActionSeen]:
        """The latest first."""

    @abstractmethod
    def to_do(self) -> Iterator[ToDo]:
        """The gravest first."""
