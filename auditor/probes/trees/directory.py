"""What a tree of files tells of the directory that it joined. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import files, processes
from auditor.readers.directories import Seen, directories_of, joined_by, listed_of
from auditor.readers.trees import directories as trees
from auditor.readers.trees import stacks, units
from auditor.readers.trees.observable import observable
from auditor.readers.trees.places import naming, setting

UNITS = {"sssd": ("sssd",), "winbind": ("winbind", "winbindd"), "ldap": ("nslcd",), "nis": ("ypbind", "nis")}


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"nss": trees.SWITCH, "sssd": trees.SSSD, "pam": stacks.PAM, "units": units.UNITS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """What is set up. That a directory answers, only the host can tell."""
    unseen = Unknown("not_observable")
    told = Seen(
        trees.sources(answers["nss"]),
        trees.domains(answers["sssd"]),
        status=unseen,
        realms=unseen,
        winbind=unseen,
        stacks=stacks.read(answers["pam"]),
        running=processes.Processes(frozenset(), unseen),
    )
    started, texts = units.read(answers["units"]), files.read(answers["sssd"]).texts
    listed = observable(directories_of(told))
    items = listed.items if isinstance(listed, Partial) else listed
    placed = [_in_tree(one, started, texts) for one in items]
    directories = Partial(tuple(placed), listed.missing) if isinstance(listed, Partial) else placed
    return {
        "joined": joined_by(directories),
        "directories": directories,
        "passwd_sources": listed_of(told.sources.passwd),
        "group_sources": listed_of(told.sources.group),
        "sudoers_sources": listed_of(told.sources.sudoers),
        "keytab": unseen,
        WHERE: {"directories": tuple(texts) or ("/etc/nsswitch.conf",)},
    }


def _in_tree(one: Mapping[str, Fact], started: units.Units, texts: Mapping[str, str]) -> dict[str, Fact]:
    active = started.runs(*UNITS.get(one["client"], (one["client"],)))
    where = (*naming(texts, f"domain/{one['directory']}"), *setting(texts, "cache_credentials"))
    return {**one, "active": active, WHERE: where or tuple(texts)[:1] or ("/etc/nsswitch.conf",)}
