"""What is inventoried: entities, their perimeters, hosts and registers, and who may sign for whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditor.model.truth import Text
from auditor.records import MATRICES, Attestation, Authorisation, Dated, DecisionRules, Delegation, May, Recommendation

Availability = Literal["always", "office_hours", "roaming"]

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
    credentials/references.py), never secrets; `proxy_jump` ("user@host:port,...") is said as in ssh_config, `known_hosts` is the path
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
    `tree`: the path of the files that stand for it, as written; its connection is `tree`, and nothing of it is run. Empty
    where that is its connection: its files were not given.
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
    `place` is the absolute path of what was named first; `roles_at` is where each role of a host stands, as file:line:column.
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
    roles_at: Mapping[str, str] = field(default_factory=dict)
    auditing_entity: str = ""  # whose audit this is; empty where all perimeters have one owner
    roles: Mapping[str, Role] = field(default_factory=dict)
    delegations: tuple[Delegation, ...] = ()
    recommendations: Mapping[str, Recommendation] = field(default_factory=dict)
    matrices: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=lambda: MATRICES)
    rules: DecisionRules = field(default_factory=DecisionRules)
    attestations: tuple[Attestation, ...] = ()
    dated: tuple[Dated, ...] = ()  # the entries of all registers, with their dates

    def host(self, id: str) -> Host | None:
        return next((h for h in self.hosts if h.id == id), None)
