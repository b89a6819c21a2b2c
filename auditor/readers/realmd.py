"""What `realm list` prints in; the directories that realmd knows the host to be a member of out. Pure.

realmd knows members of Kerberos domains that sssd or winbind serve; that it lists none says nothing of another directory.
Source: realm(8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model import Answer, Command, Failure, Unknown

REALM = Command(
    r"""command -v realm >/dev/null || { echo absent; exit; }
o=$(realm list) || exit 1
printf '%s\n' "$o"
echo end
""",
    cap_bytes=16384,
)

POLICIES = {
    "allow-realm-logins": "everybody",
    "allow-any-login": "everybody",
    "allow-permitted-logins": "listed",
    "deny-any-login": "nobody",
}


@dataclass(frozen=True, slots=True)
class Realm:
    """`allowed`: logins, and groups with a percent sign."""

    name: str
    client: str
    server: str
    access: str | Unknown
    allowed: tuple[str, ...]


def realms(answer: Answer) -> tuple[Realm, ...] | Unknown:
    """Empty where realmd is not installed: it has nothing to say then. Unknown where it did not answer (no D-Bus)."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if lines == ["absent"]:
        return ()
    if answer.exit_code or not lines or lines[-1] != "end":
        return Unknown("not_told", (answer.error_text.strip() or "realm gave no answer")[:200])
    blocks: list[tuple[str, dict[str, str]]] = []
    for line in filter(str.strip, lines[:-1]):
        if not line[0].isspace():
            blocks.append((line.strip(), {}))
        elif blocks:
            key, _, value = line.strip().partition(":")
            blocks[-1][1].setdefault(key, value.strip())
    return tuple(_realm(name, said) for name, said in blocks if said.get("configured", "no") != "no")


def _realm(name: str, said: dict[str, str]) -> Realm:
    policy = said.get("login-policy", "")
    groups = (f"%{group}" for group in _words(said.get("permitted-groups", "")))
    return Realm(
        said.get("domain-name") or name,
        said.get("client-software", ""),
        said.get("server-software", ""),
        POLICIES.get(policy, Unknown("not_told", f"login policy {policy[:40]}")),
        (*_words(said.get("permitted-logins", "")), *groups),
    )


def _words(text: str) -> Iterable[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
