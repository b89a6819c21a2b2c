"""The JSON that `ansible-inventory --list` or an inventory program prints, in; groups, hosts and variables in the tree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load.inventory.tree import Tree, Var
from auditor.load.yaml import Tagged

META = "_meta"


class _Twice(Exception):
    """The key that one mapping gives twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def looks_like(value: Any) -> bool:
    """A listing, and not an inventory in the YAML shape that happens to be JSON."""
    if not isinstance(value, dict):
        return False
    return META in value or any(
        isinstance(g, list) or (isinstance(g, dict) and isinstance(g.get("hosts"), list)) for g in value.values()
    )


def parsed(data: bytes, file: str) -> Any:
    """Raises InvalidInput with the place when it is no JSON."""
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except _Twice as error:
        message = f"'{str(error)[:80]}' is given twice in one mapping: what the first one holds would be lost"
        raise InvalidInput([Problem(file, 0, 0, message)]) from None
    except UnicodeDecodeError:
        raise InvalidInput([Problem(file, 0, 0, "not UTF-8 text")]) from None
    except json.JSONDecodeError as error:
        raise InvalidInput([Problem(file, error.lineno, error.colno, f"not JSON: {error.msg}")]) from None
    except (RecursionError, ValueError):
        raise InvalidInput(
            [Problem(file, 0, 0, "not JSON that we read: nested too deep, or a number too long")]
        ) from None


def read(tree: Tree, value: Any, file: str) -> None:
    """Notes in the tree whatever has not the shape that Ansible documents for inventory programs."""

    def wrong(message: str) -> None:
        tree.problems.append(Problem(file, 0, 0, message))

    if not isinstance(value, dict):
        wrong("must be a mapping of groups")
        return
    meta = value.get(META)
    variables = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(variables, dict):
        wrong("has no _meta.hostvars: give what `ansible-inventory --list` prints")
        return
    listed: dict[str, None] = {}
    for name, group in value.items():
        if name != META:
            _group(tree, name, {"hosts": group} if isinstance(group, list) else group, file, listed)
    for host in listed:
        _host(tree, host, variables.get(host), file)
    loose = [h for h in variables if h not in listed]
    if loose:
        tree.notices.append(_loose(file, loose))


def _group(tree: Tree, name: str, group: Any, file: str, listed: dict[str, None]) -> None:
    place = Problem(file, 0, 0, "")
    shapes = (("hosts", list), ("children", list), ("vars", dict))
    if not isinstance(group, dict) or any(not isinstance(group.get(k, t()), t) for k, t in shapes):
        tree.problems.append(
            Problem(file, 0, 0, f"the group '{name}' must hold hosts (list), children (list), vars (mapping)")
        )
        return
    tree.add_group(name)
    for host in group.get("hosts", ()):
        if isinstance(host, str) and host:
            tree.add_named(host, name, place)
            listed[host] = None
        else:
            tree.problems.append(Problem(file, 0, 0, f"a host of the group '{name}' has no name"))
    for key, one in group.get("vars", {}).items():
        tree.set_group(name, key, Var(_tagged(one), file))
    for child in group.get("children", ()):
        if isinstance(child, str) and child:
            tree.add_child(name, child)
        else:
            tree.problems.append(Problem(file, 0, 0, f"a child of the group '{name}' has no name"))


def _host(tree: Tree, host: str, variables: Any, file: str) -> None:
    if not isinstance(variables, dict | None):
        tree.problems.append(Problem(file, 0, 0, f"_meta.hostvars of '{host}' must be a mapping"))
        return
    for key, one in (variables or {}).items():
        tree.set_host(host, key, Var(_tagged(one), file))


def _tagged(value: Any) -> Any:
    """What Ansible marks as encrypted, or as no template."""
    if isinstance(value, dict):
        for mark, tag in (("__ansible_vault", "!vault"), ("__ansible_unsafe", "!unsafe")):
            if list(value) == [mark]:
                return Tagged(tag, str(value[mark]))
        return {k: _tagged(v) for k, v in value.items()}
    return [_tagged(v) for v in value] if isinstance(value, list) else value


def _loose(file: str, hosts: list[str]) -> Mapping[str, str]:
    some = ", ".join(hosts[:5]) + (" ..." if len(hosts) > 5 else "")
    return {
        "en": f"{file}: {len(hosts)} names have variables and are in no group, so that they are no hosts: {some}",
        "fr": f"{file} : {len(hosts)} noms ont des variables mais aucun groupe, ce ne sont donc pas des machines : {some}",
    }
