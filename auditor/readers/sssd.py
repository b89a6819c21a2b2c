"""sssd's configuration and what sssctl says in; its directories, who may log in and how long offline, out. Pure.

Sources: sssd.conf(5), sssd-simple(5), sssctl(8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

# Some keys hold passwords: none is printed but those named here. Of each file also the mode and owner, since sssd leaves
# out a drop-in that others may read; a line that is no assignment makes it leave out the file.
CONFIG = Command(
    r"""set --
for f in /etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf; do if [ -f "$f" ]; then set -- "$@" "$f"; fi; done
if [ $# -gt 0 ]; then
  stat -c 'm:%u %g %a %n' "$@" || exit 1
  awk 'BEGIN { n = split("domains enabled id_provider auth_provider access_provider cache_credentials cached_auth_timeout offline_credentials_expiration proxy_lib_name simple_allow_users simple_allow_groups simple_deny_users simple_deny_groups", a, " ")
      for (i = 1; i <= n; i++) told[a[i]] = 1 }
    FNR == 1 { print "f:" FILENAME; sub(/^\357\273\277/, "") }
    { sub(/\r$/, "") }
    /^[ \t]*([#;]|$)/ { next }
    /^[ \t]*\[/ { sub(/^[ \t]*\[/, ""); sub(/\].*/, ""); print "s:" $0; next }
    { i = index($0, "="); if (!i) { print "odd"; next }
      k = tolower(substr($0, 1, i - 1)); gsub(/[ \t]/, "", k)
      if (k in told) print "k:" k "=" substr($0, i + 1) }' "$@" || exit 1
fi
echo end
""",
    elevated=True,
)

# sssctl would make itself a database where sssd does not run, and load a configuration that sssd has not: then it is not asked.
STATUS = Command(
    r"""command -v sssctl >/dev/null || { echo absent; exit; }
p=
for f in /run/sssd.pid /run/sssd/sssd.pid /var/run/sssd.pid; do
  if [ -s "$f" ]; then p=$(cat "$f"); if [ -n "$p" ] && [ -d "/proc/$p" ]; then break; fi; p=; fi
done
[ -n "$p" ] || { echo stopped; exit; }
for f in /etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf; do
  if [ "$f" -nt /var/lib/sss/db/config.ldb ]; then echo changed; exit; fi
done
l=$(sssctl domain-list 2>&1) || { printf 'failed %s\n' "$l"; exit; }
set -f
k=0
for d in $l; do
  k=$((k + 1))
  [ "$k" -le 12 ] || break
  printf 'domain %s\n' "$d"
  sssctl domain-status -o "$d" 2>&1
done
echo end
""",
    elevated=True,
    timeout_s=30,
    cap_bytes=16384,
)

LOCAL = ("files", "local")  # id providers that hand out the host's own accounts
SURE_MODES = ("400", "600")
Value = str | Unknown | None
Settings = Mapping[tuple[str, str], str | Unknown]  # (section, key), in lower case


@dataclass(frozen=True, slots=True)
class Domain:
    """`hours`: how long after the directory's last yes a login is taken from the cache; None: without limit.

    `access`: who may log in: everybody, listed, others, directory, nobody.
    """

    name: str
    provider: str | Unknown
    logins: bool | Unknown
    caches: bool | Unknown
    hours: float | Unknown | None
    access: str | Unknown
    allowed: tuple[str, ...] | Unknown


def domains(answer: Answer) -> tuple[Domain, ...] | Unknown:
    """The enabled domains that are no copy of the host's own accounts. Raises Unreadable when the answer is cut."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("sssd's configuration is not complete")
    settings, names = _settings(lines[:-1])
    return _enabled(settings, names)


def _settings(lines: Iterable[str]) -> tuple[Settings, tuple[str, ...]]:
    """What counts of all files, in their order, and the names of the domain sections."""
    files = _files(lines)
    found: dict[tuple[str, str], str | Unknown] = {}
    names: dict[str, str] = {}
    for doubt, rows in files:
        for section, key, value in rows:
            if section.lower().startswith("domain/"):
                names.setdefault(section[7:].lower(), section[7:])
            if key:
                found[section.lower(), key] = doubt or value
    return found, tuple(names.values())


_Row = tuple[str, str, str]


def _files(lines: Iterable[str]) -> list[tuple[Unknown | None, list[_Row]]]:
    """For each file, why sssd may not take it, and its rows."""
    modes: dict[str, str] = {}
    parts: list[tuple[str, list[_Row]]] = []
    odd: set[str] = set()
    section = ""
    for line in lines:
        kind, _, rest = line.partition(":")
        if kind == "m":
            mode, _, path = rest.partition(" /")
            modes["/" + path] = mode
        elif kind == "f":
            parts.append((rest, []))
            section = ""
        elif kind == "s" and parts:
            section = rest.strip()
            parts[-1][1].append((section, "", ""))
        elif kind == "k" and parts:
            key, _, value = rest.partition("=")
            parts[-1][1].append((section, key, value.strip()))
        elif kind == "odd" and parts:
            odd.add(parts[-1][0])
        else:
            raise Unreadable("sssd's configuration is not as asked")
    return [(_doubt(path, modes.get(path, ""), path in odd), rows) for path, rows in parts]


def _doubt(path: str, mode: str, odd: bool) -> Unknown | None:
    """sssd does not start on a main file that it refuses: whether it runs is told elsewhere."""
    taken = not odd and mode in {f"0 0 {m}" for m in SURE_MODES}
    return None if taken or path == "/etc/sssd/sssd.conf" else Unknown("unreadable", f"whether sssd takes {path[:80]}")


def _enabled(settings: Settings, names: tuple[str, ...]) -> tuple[Domain, ...] | Unknown:
    listed = settings.get(("sssd", "domains"), "")
    if isinstance(listed, Unknown):
        return listed
    known = {name.lower(): name for name in (*names, *_words(listed))}
    wanted = {name.lower() for name in _words(listed)}
    found = []
    for key, name in known.items():
        enabled = _boolean(settings.get((f"domain/{key}", "enabled")), key in wanted)
        if isinstance(enabled, Unknown):
            return enabled
        if enabled and not _local(settings, key):
            found.append(_domain(settings, key, name))
    return tuple(found)


def _local(settings: Settings, key: str) -> bool:
    provider = settings.get((f"domain/{key}", "id_provider"))
    through = settings.get((f"domain/{key}", "proxy_lib_name"))
    return provider in LOCAL or (provider == "proxy" and through in LOCAL)


def _domain(settings: Settings, key: str, name: str) -> Domain:
    def value(wanted: str) -> Value:
        return settings.get((f"domain/{key}", wanted))

    provider = value("id_provider")
    auth = value("auth_provider")
    access, allowed = _access(value)
    return Domain(
        name,
        Unknown("not_told", "no id_provider") if provider is None else provider,
        auth if isinstance(auth, Unknown) else auth != "none",
        _boolean(value("cache_credentials"), False),
        _hours(settings.get(("pam", "offline_credentials_expiration")), value("cached_auth_timeout")),
        access,
        allowed,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _boolean(value: Value, default: bool) -> bool | Unknown:
    if value is None or isinstance(value, Unknown):
        return default if value is None else value
    known = {"true": True, "false": False}
    return known.get(value.lower(), Unknown("unreadable", f"neither true nor false: {value[:40]}"))


def _hours(days: Value, while_online_s: Value) -> float | Unknown | None:
    """Offline it is days after the last login that the directory saw, 0 being no limit; online, seconds, 0 being never."""
    offline, online = _number(days), _number(while_online_s)
    if isinstance(offline, Unknown) or isinstance(online, Unknown):
        return offline if isinstance(offline, Unknown) else online
    return round(max(offline * 24, online / 3600), 1) if offline else None


def _number(value: Value) -> int | Unknown:
    if value is None or isinstance(value, Unknown):
        return 0 if value is None else value
    if value.isascii() and value.isdigit() and len(value) < 9:
        return int(value)
    return Unknown("unreadable", f"no number: {value[:40]}")


def _access(value: Callable[[str], Value]) -> tuple[str | Unknown, tuple[str, ...] | Unknown]:
    provider = value("access_provider")
    if isinstance(provider, Unknown):
        return provider, provider
    if provider == "simple":
        return _simple([value(f"simple_{w}") for w in ("allow_users", "allow_groups", "deny_users", "deny_groups")])
    known = {None: "everybody", "permit": "everybody", "deny": "nobody"}
    return known.get(provider, "directory"), ()


def _simple(values: list[Value]) -> tuple[str | Unknown, tuple[str, ...] | Unknown]:
    unknown = next((v for v in values if isinstance(v, Unknown)), None)
    if unknown:
        return unknown, unknown
    users, groups, *denied = (_words(str(v or "")) for v in values)
    allowed = (*users, *(f"%{group}" for group in groups))
    if allowed:
        return "listed", allowed
    return ("others" if any(denied) else "everybody"), ()


def online(answer: Answer) -> Mapping[str, bool | Unknown] | bool | Unknown:
    """By domain in lower case; False: sssd does not run, and none answers."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if lines == ["stopped"]:
        return False
    whys = {"absent": "no sssctl on this host", "changed": "sssd's configuration changed since sssd read it"}
    if len(lines) == 1 and lines[0] in whys:
        return Unknown("not_told", whys[lines[0]])
    if not lines or lines[-1] != "end":
        return Unknown("not_told", (lines[0] if lines else answer.error_text)[:200])
    return _statuses(lines[:-1])


def _statuses(lines: Iterable[str]) -> Mapping[str, bool | Unknown]:
    found: dict[str, bool | Unknown] = {}
    name = ""
    for line in lines:
        if line.startswith("domain "):
            name = line[7:].strip().lower()
            found[name] = Unknown("not_told", f"whether {name[:80]} answers")
        elif line.startswith("Online status: ") and name:
            said = line[15:].strip()
            found[name] = {"Online": True, "Offline": False}.get(said, Unknown("unreadable", said[:40]))
        elif line.strip() and name and isinstance(found[name], Unknown):
            found[name] = Unknown("not_told", line.strip()[:200])
    return found
