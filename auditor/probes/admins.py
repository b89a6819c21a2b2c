"""Who is an administrator of a host: uid 0, admin groups, sudo rules, keys that open root's account. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import parts, passwd, sudoers
from auditor.readers.trees.nameless import nameless
from auditor.readers.undated import undated

# Shows fingerprints, never keys or the options before them, which may carry commands. A key that ssh-keygen cannot
# read is counted: it is there, and whose it is was not told.
ROOT_KEYS = Command(
    r"""nl='
'
set -f
IFS=$nl
l=
for z in $(awk -F: '$3 ~ /^0+$/ { print $1 ":" $6 }' /etc/passwd | sort -u); do
  u=${z%%:*}
  h=${z#*:}
  if [ -s "$h/.k5login" ]; then echo 'elsewhere .k5login'; fi
  f=
  if command -v sshd >/dev/null; then
    t=$(sshd -T -C "user=$u,host=127.0.0.1,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>/dev/null | grep -E '^(authorizedkeys(file|command)|trustedusercakeys) ')
    e=
    for x in $t; do
      case $x in
        'authorizedkeysfile '*) f=$f${x#authorizedkeysfile }$nl ;;
        *' none'|*' ') ;;
        *) e=${e}"elsewhere ${x%% *}"$nl ;;
      esac
    done
    if [ -z "$f" ]; then echo 'elsewhere sshd does not tell where keys are'; fi
    printf %s "$e"
  fi
  IFS="$nl "
  for k in ${f:-.ssh/authorized_keys .ssh/authorized_keys2}; do
    IFS=$nl
    case $k in *%*) k=$(printf '%s\n' "$k" | sed "s:%h:$h:g; s:%u:$u:g; s:%U:0:g; s:%%:%:g") ;; esac
    case $k in /*) ;; none) continue ;; *) k=$h/$k ;; esac
    if [ -e "$k" ]; then l=$l$k$nl; fi
  done
  IFS=$nl
done
if command -v sshd >/dev/null; then
  set +f
  cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf /usr/etc/ssh/sshd_config /usr/etc/ssh/sshd_config.d/*.conf 2>/dev/null | awk '
    { gsub(/["=]/, " "); w = tolower($1) }
    w == "match" { m = 0; for (i = 2; i < NF; i += 2) if (tolower($i) !~ /^(user|group)$/) m = 1 }
    m && w ~ /^(authorizedkeys|trustedusercakeys)/ { print "elsewhere Match"; exit }
    w == "include" && $2 !~ /^(\/etc\/ssh\/|\/usr\/etc\/ssh\/)?sshd_config\.d\// { print "elsewhere Include"; exit }'
  set -f
fi
for k in $(printf '%s' "$l" | sort -u); do
  printf 'lines %s\n' "$(grep -cE '(ssh-|ecdsa-|sk-)[a-z0-9@.-]+[[:blank:]]+AAAA' "$k")"
  ssh-keygen -lf "$k" 2>/dev/null | awk '$2 ~ /^(SHA256|MD5):/ { print "key " $2 }'
done
echo end
""",
    elevated=True,
)
NO_SID = Unknown("not_told", "only Windows has an administrator of its own that is enabled or not")
_FINGERPRINT = re.compile(r"(SHA256|MD5):[A-Za-z0-9+/=:]{16,64}")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"accounts": passwd.PEOPLE, "sudoers": sudoers.SUDOERS, "root_keys": ROOT_KEYS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    people = passwd.people(answers["accounts"])
    if isinstance(people, Unknown):
        return {"accounts": people, "uid_zero": people, "built_in_enabled": NO_SID}
    return facts_of(people, parts.told(sudoers.rules, answers["sudoers"]), parts.told(_keys, answers["root_keys"]))


def facts_of(people: passwd.People, told: sudoers.Rules | Unknown, keys: tuple[str | Unknown, ...] | Unknown) -> Facts:
    rules = sudoers.Rules((), passwd.People({}, {}), gap=told) if isinstance(told, Unknown) else told
    everybody = passwd.People(people.accounts, {**rules.groups.groups, **people.groups}, people.directory)
    found = passwd.privileged(everybody, rules.granting)
    listed = (keys,) if isinstance(keys, Unknown) else keys
    items: list[Fact] = [_shown(name, why) for name, why in found.because.items()]
    items += [_shown(key, ("key of root",)) for key in listed if isinstance(key, str)]
    gap = rules.gap or next((k for k in listed if isinstance(k, Unknown)), None)
    return {
        "accounts": Partial(tuple(items), gap) if gap else items,
        "uid_zero": [a.name for a in people.accounts.values() if a.uid == 0],
        "built_in_enabled": NO_SID,
    }


def _shown(name: str, why: tuple[str, ...]) -> Fact:
    return {"account": name, "login": name, "because": ", ".join(why)}


def _keys(answer: Answer) -> tuple[str | Unknown, ...] | Unknown:
    """The fingerprints of the keys that open accounts with uid 0; Unknown for each key without one."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("root's keys are not complete")
    found: list[str | Unknown] = list(dict.fromkeys(_fingerprints(lines)))
    elsewhere = [line[10:] for line in lines if line.startswith("elsewhere ")]
    if elsewhere:
        found.append(Unknown("not_told", f"keys of root: {' '.join(elsewhere)[:120]}"))
    counted = sum(_count(line[6:]) for line in lines if line.startswith("lines "))
    if counted > sum(line.startswith("key ") for line in lines):
        found.append(Unknown("not_told", "a key of root without a fingerprint"))
    return tuple(found)


def _fingerprints(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("key "):
            if not _FINGERPRINT.fullmatch(line[4:]):
                raise Unreadable("a fingerprint of another shape")
            yield line[4:]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Unreadable("a count of keys")
    return int(text)


def _on_windows() -> Dialect:
    from auditor.probes.windows import admins as windows

    return Dialect(windows.commands, undated(windows.parse))


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import admins as trees

    return Dialect(trees.commands, nameless(undated(trees.parse)))


PROBE = Probe(
    title={"en": "Administrators of the host", "fr": "Administrateurs de l'équipement"},
    facts={
        "type": "object",
        "properties": {
            "accounts": {
                "type": "array",
                "description": "Who is root, can become it, or opens its account with a key; on Windows, the members of Administrators.",
                "items": {
                    "type": "object",
                    "x-name": "account",
                    "x-also": ["because"],
                    "properties": {
                        "account": {
                            "type": "string",
                            "x-person": True,
                            "description": "A login, DOMAIN\\login; %group or +netgroup whose members a directory keeps; a key's fingerprint.",
                        },
                        "login": {
                            "type": "string",
                            "x-person": True,
                            "description": "The same without the domain.",
                        },
                        "because": {"type": "string", "description": "What makes it an administrator."},
                    },
                },
            },
            "uid_zero": {
                "type": "array",
                "description": "The logins with uid 0.",
                "items": {"type": "string", "x-person": True, "description": "A login."},
            },
            "built_in_enabled": {
                "type": "boolean",
                "description": "Whether the account that Windows makes as its administrator (SID ending in -500) is enabled.",
            },
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, undated(parse, sudoers=sudoers.nameless)),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "root, to read sudoers and root's keys; without it the list is incomplete. On Windows, none where anybody may list a group",
        "fr": "root, pour lire sudoers et les clés de root ; sans cela la liste est incomplète. Sous Windows, aucun là où chacun peut lister un groupe",
    },
)
