"""Whether a host takes identities from a directory: which one, whether it answers, how long its cache lets in. Pure.

A directory counts when the host's name service asks for it, or when sssd is set up for it. What realmd lists counts where the
host's own configuration could not be read; that it lists nothing proves nothing, since it does not know every directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import undated


def _text(says: str, kind: str = "string") -> Mapping[str, Any]:
    return {"type": kind, "description": says}


def _texts(says: str, item: str) -> Mapping[str, Any]:
    return {**_text(says, "array"), "items": _text(item)}


def _on_linux() -> Dialect:
    from auditor.probes.linux import directory as linux
    from auditor.readers.directories import OURS

    return Dialect(linux.commands, undated(linux.parse, processes=OURS, processes_root=OURS))


def _on_windows() -> Dialect:
    from auditor.probes.windows import directory as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import directory as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Directory that identities come from", "fr": "Annuaire d'où viennent les identités"},
    facts={
        "type": "object",
        "properties": {
            "joined": _text(
                "Whether a directory is set up on the host: sssd, winbind, an LDAP or another name service.", "boolean"
            ),
            "directories": {
                **_text("The directories that are set up.", "array"),
                "items": {
                    "type": "object",
                    "x-name": "directory",
                    "x-also": ["client"],
                    "properties": {
                        "directory": _text("The name of the domain, or of the name service that asks it."),
                        "client": _text(
                            "What asks it on the host: sssd, winbind, ldap ...; on Windows: domain member, domain controller, entra."
                        ),
                        "provider": _text("What kind of directory it is: ad, ipa, ldap ..."),
                        "identities": _text("Whether the name service asks it for accounts.", "boolean"),
                        "logins": _text(
                            "Whether a service that lets people in checks passwords with it (PAM).", "boolean"
                        ),
                        "active": _text("Whether the client's daemon runs.", "boolean"),
                        "online": _text("Whether it answers, as the client says.", "boolean"),
                        "access": _text(
                            "Whom of it the host lets in: everybody, listed, others (all but some), directory (its own rules), nobody."
                        ),
                        "allowed": {
                            **_text("Those whom the host's own list lets in; groups with a percent sign.", "array"),
                            "items": {**_text("A login, or %group."), "x-person": True},
                        },
                        "caches_logins": _text(
                            "Whether a login is taken from a cache when the directory does not answer.", "boolean"
                        ),
                        "cached_login_hours": _text(
                            "How long after its last yes; null where there is no limit.", "number"
                        ),
                    },
                },
            },
            "passwd_sources": _texts("Where accounts come from (nsswitch.conf).", "A source."),
            "group_sources": _texts("Where groups come from (nsswitch.conf).", "A source."),
            "sudoers_sources": _texts("Where sudo rules come from (nsswitch.conf).", "A source."),
            "keytab": _texts("The principals of /etc/krb5.keytab; null when there is none.", "A principal."),
        },
    },
    dialects=Dialects(
        linux=_on_linux,
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "Root reads sssd.conf (allowed keys only, no password), asks sssctl whether the directory answers and lists the keytab's principals.",
        "fr": "root lit sssd.conf (seulement des clés choisies, aucun mot de passe), demande à sssctl si l'annuaire répond et liste les principaux du keytab.",
    },
)
