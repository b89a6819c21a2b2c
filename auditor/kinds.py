"""What a Probe, a Transport and a Reporter are: types only. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from auditor.model import Answer, Command, Estate, Facts, Host, Run, Subject, Text
from auditor.records import Record

Schema = Mapping[str, Any]  # JSON Schema, draft-07
Audience = Literal["technique", "elus"]
TREE = "tree"  # the connection, and the medium, of a host that files stand for
NO_FILES = "no --tree gives its files"  # why such a host was not asked
RECORDS = "records"  # the connection, the platform and the medium of a perimeter, which answers what people declared


@dataclass(frozen=True, slots=True)
class Dialect:
    """A probe on one platform family.

    `commands(args)` gives the same names, texts and flags whatever the arguments; only `Command.arguments` may differ,
    so that the elevated text of a release is fixed. `parse({name: answer}, args)` gets an answer for every name; it
    turns a Failure into Unknown where, and only where, a fact depends on it.
    """

    commands: Callable[[Mapping[str, Any]], Mapping[str, Command]]
    parse: Callable[[Mapping[str, Answer], Mapping[str, Any]], Facts]


class Dialects(Mapping[str, Dialect]):
    """Dialects by platform. One that is given as a function is made when a host first speaks it: the function imports what
    the dialect is read with, which hosts of other platforms have no use for.
    """

    def __init__(self, **given: Dialect | Callable[[], Dialect]) -> None:
        self._given = given
        self._made = {platform: one for platform, one in given.items() if isinstance(one, Dialect)}

    def __getitem__(self, platform: str) -> Dialect:
        if platform not in self._made:
            given = self._given[platform]
            self._made.setdefault(platform, given if isinstance(given, Dialect) else given())
        return self._made[platform]

    def __contains__(self, platform: object) -> bool:
        return platform in self._given  # without making it

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question asked of a host; with the dialect `records`, of a perimeter.

    `facts` is a JSON Schema of an object; every property has a description. A list of objects names the field that
    tells its elements apart with `x-name`; a text that names a person says `x-person: true`.
    `privilege` says in words what the question needs on the host. `trees` are the dialects for a tree of files: their
    commands are of the kind "read"; what only a running host can tell is Unknown `not_observable`. There an element of a
    list may say `where`, the places (`/path:line`) that it comes from; so may the facts as a whole, by the fact's name.
    `roles` are those of hosts that it tells apart.
    """

    title: Text
    facts: Schema
    dialects: Mapping[str, Dialect]  # platform family -> dialect
    arguments: Schema = field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False}
    )
    privilege: Text = field(default_factory=dict)
    trees: Mapping[str, Dialect] = field(default_factory=dict)
    roles: tuple[str, ...] = ()

    def of(self, host: Host) -> Mapping[str, Dialect]:
        """The dialects of the host's medium."""
        return self.trees if host.connection == TREE else self.dialects


@dataclass(frozen=True, slots=True)
class DerivedProbe:
    """One question that a host does not answer of itself: it has no commands but reads what other probes told.

    It has one of two:
    `fold(subject, seen)` gets, for one perimeter, each host with its facts of the probe `over` (or the Unknown that
    stands for them), as an iterator read once; it answers facts about that perimeter.
    `heard(named, seen)` gets every inventoried host with the name that it gave itself ("" when it gave none), and each
    witness, a host with one of `roles`, with its facts of the probe `over`; both are read once. What it returns is asked
    for each concerned host, by id, and answers facts about that host, which name the witness.
    A witness that was not seen makes the facts that depend on it Unknown or Partial.
    """

    title: Text
    over: str
    facts: Schema
    fold: Callable[[Subject, Iterable[tuple[str, Any]]], Facts] | None = None
    arguments: Schema = field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False}
    )
    heard: Callable[[Iterable[tuple[Host, str]], Iterable[tuple[str, Any]]], Callable[[str], Facts]] | None = None
    roles: tuple[str, ...] = ()

    @property
    def of(self) -> Literal["host", "perimeter"]:
        """What its controls are asked of."""
        return "perimeter" if self.heard is None else "host"


def asked_of(probe: Probe | DerivedProbe) -> Literal["host", "perimeter"]:
    """What the controls of a probe are asked of."""
    if isinstance(probe, DerivedProbe):
        return probe.of
    return "perimeter" if RECORDS in probe.dialects else "host"


@dataclass(frozen=True, slots=True)
class Transport:
    """One way in.

    `open(settings)` is called once a run and gives `ask(host, commands, deadline_s)`: answers as they come, each
    Command at most once. Whatever is not answered when the iterator ends, the caller counts as `closed`.
    `script(commands, elevated, become)` is what would be sent (pure; `plan` prints it); the nonce is its argument.
    """

    script: Callable[[tuple[Command, ...], tuple[Command, ...], bool], str]
    open: Callable[[Settings], Ask]


class Ask(Protocol):
    def __call__(
        self, host: Host, commands: tuple[Command, ...], deadline_s: float
    ) -> Iterator[tuple[Command, Answer]]: ...


class Trial(Protocol):
    """One attempt to log in with a credential: tell it when the host took the credential, or refused it."""

    def accepted(self) -> None: ...

    def refused(self) -> None: ...


class Trials(Protocol):
    """Who may try a credential that can lock an account: one host first, and nobody after two refusals in a run.

    `attempt((the secret's mark, user), patience_s)` waits for its turn; raises credentials.Withheld when it never comes.
    """

    def attempt(self, credential: tuple[str, str], patience_s: float) -> AbstractContextManager[Trial]: ...


class Secret(Protocol):
    """A secret's text, shown by nothing but `reveal`; equal ones have the same `mark`."""

    def reveal(self) -> str: ...

    @property
    def mark(self) -> str: ...


class Secrets(Protocol):
    """Gives the secret that a reference names, fetched once a run; raises credentials.NoSecret."""

    def __call__(self, reference: str) -> Secret: ...


class Connecting(Protocol):
    """Around the wait for a connection: after a moment another host may be asked meanwhile; at the end it is our turn."""

    def __call__(self, moment_s: float) -> AbstractContextManager[object]: ...


def _alone(moment_s: float) -> AbstractContextManager[object]:
    return nullcontext()


SSH_CONFIG = ("~/.ssh/config", "/etc/ssh/ssh_config")


@dataclass(frozen=True, slots=True)
class Settings:
    """What every transport may need: a clock, the catalogue of elevated texts, where SSH is configured.

    `known_hosts` stands in the place of the files that ssh_config names; `ssh_config` is empty for none at all.
    `secrets` and `trials` are shared by all transports of a run; a transport given none makes its own.
    `timed(host id, command, seconds)`, where given, is told how long each question took on the host.
    `estate` is what people wrote, and `records` what they decided, for the perimeters that are asked what was declared.
    """

    clock: Callable[[], float]
    elevated: tuple[Command, ...] = ()
    known_hosts: tuple[str, ...] = ()
    connect_timeout_s: float = 10.0
    ssh_config: tuple[str, ...] = SSH_CONFIG
    secrets: Secrets | None = None
    trials: Trials | None = None
    connecting: Connecting = _alone
    timed: Callable[[str, Command, float], object] | None = None
    estate: Estate | None = None
    records: tuple[Record, ...] = ()


class OpenPart(Protocol):
    """Opens a report's sink: `open_part("")` for the one part most formats have."""

    def __call__(self, part: str) -> Callable[[bytes], object]: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """How a reporter speaks: `say` translates one of our sentences, `text` picks a language of a policy's text.

    `audience` "elus": for elected officials, who publish what they are given; it names no host and nothing of one.
    `located` gives the path of a file as the repository of the work folder names it. `suppressed`: a format that knows
    suppressed findings holds those that a decision covers; else it leaves them out.
    `too_old`: the run is older than whoever asks takes for an answer. `today`: the ISO day on which a stored run is
    printed again, so that it says which of its decisions have ended since; empty for one that is judged now.
    """

    lang: str
    say: Callable[[str], str]
    text: Callable[[Text], str]
    colour: bool = False
    details: bool = False
    width: int = 80
    audience: Audience = "technique"
    located: Callable[[str], str] = str
    suppressed: bool = True
    too_old: bool = False
    today: str = ""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a monitoring system's plugin has of its own: `code(run, voice)` is what `report` ends with.

    `broken(why)` stands in the place of a report that cannot be had, with `broken_code`. `max_age_s`: how old a run may be
    where nobody says.
    """

    code: Callable[[Run, Voice], int]
    broken: Callable[[str], bytes]
    broken_code: int
    max_age_s: float


@dataclass(frozen=True, slots=True)
class Reporter:
    """One format: `render(run, voice, open_part)` writes bytes in pieces.

    `audiences` are those that it can write for; one that names hosts whatever it is told writes for technicians alone.
    `shared`: it holds counts alone, for another program of this machine: others may read the file.
    """

    title: Text
    render: Callable[[Run, Voice, OpenPart], None]
    audiences: tuple[Audience, ...] = ("technique",)
    shared: bool = False
    plugin: Plugin | None = None
