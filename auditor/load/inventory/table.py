"""A table of machines (CSV of GLPI, Active Directory, Centreon or a spreadsheet) in; one Machine a row, or hosts in the tree."""

from __future__ import annotations

import codecs
import csv
import io
import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice

from auditor.errors import InvalidInput, Problem
from auditor.load.inventory import names
from auditor.load.inventory.tree import ALL, UNGROUPED, Tree, Var
from auditor.load.schema import did_you_mean

MAX_ROWS = 100_000
MAX_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What one row says; empty where it says nothing. `fqdn` is the name with its domain, `owner` a person or a service."""

    name: str
    fqdn: str = ""
    address: str = ""
    os: str = ""
    serial: str = ""
    location: str = ""
    zone: str = ""
    owner: str = ""
    status: str = ""
    kind: str = ""
    entity: str = ""
    source: str = field(default="", compare=False)  # the file
    line: int = field(default=0, compare=False)


FIELDS = tuple(f.name for f in fields(Machine) if f.name not in ("source", "line"))

# Names of columns, folded (see _folded), the one that says it best first. From GLPI (French, English), Get-ADComputer,
# Centreon's `-a show` and what spreadsheets use.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("nom", "name", "hostname", "nomdhote", "host", "nommachine", "nomdelamachine", "nomdelordinateur", "computername",
             "nomordinateur", "computer", "ordinateur", "machine", "poste", "nomduposte", "serveur", "equipement", "hote",
             "samaccountname", "cn", "inventoryhostname"),
    "fqdn": ("dnshostname", "fqdn", "nomdns", "dns"),
    "address": ("adresseip", "ip", "ipaddress", "ipv4address", "reseauip", "ipv4", "adresseipv4", "address", "adresse",
                "adressesip", "ipaddresses", "ansiblehost", "reseauadresseip", "networkip", "ipaddressv4", "adressereseau"),
    "os": ("systemedexploitation", "systemedexploitationnom", "operatingsystem", "operatingsystemname", "os", "nomdusysteme",
           "systeme", "osname"),
    "serial": ("numerodeserie", "ndeserie", "noserie", "noserial", "nserie", "serial", "serialnumber", "sn", "numserie"),
    "location": ("lieu", "location", "site", "localisation", "emplacement", "batiment"),
    "zone": ("zone", "vlan", "zonereseau", "segment"),
    "owner": ("utilisateur", "proprietaire", "owner", "user", "usager", "responsable", "managedby", "groupeencharge",
              "technicienencharge", "contact", "technicianincharge"),
    "status": ("statut", "status", "etat", "enabled", "state", "activate"),
    "kind": ("type", "computertype", "itemtype", "categorie", "category"),
    "entity": ("entite", "entity", "collectivite", "commune", "service", "direction"),
}  # fmt: skip
_CLAPI = ("HOST", "ADD")  # a line of Centreon's `centreon -e`: HOST;ADD;name;alias;address;template;poller;group


def parsed(data: bytes, file: str, mapping: Mapping[str, str] | None = None) -> list[Machine]:
    """`mapping` is column to field, as `--map` gives it. Raises InvalidInput with every problem of the table."""
    text = _text(data, file)
    if re.search(r"^HOST;ADD;", text, re.MULTILINE):
        return list(_clapi(text, file))
    rows = list(islice(_rows(text, file), MAX_ROWS + 2))
    if not rows:
        raise InvalidInput([Problem(file, 0, 0, "the table is empty")])
    if len(rows) > MAX_ROWS + 1:
        raise InvalidInput(
            [Problem(file, rows[-1][0], 1, f"more than {MAX_ROWS} rows: this is no list of machines, or split it")]
        )
    line, header = rows[0]
    places = _places(header, mapping or {}, Problem(file, line, 1, ""))
    problems: list[Problem] = []
    found: list[Machine] = []
    for line, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(header) and any(c.strip() for c in row[len(header) :]):
            message = f"has {len(row)} cells and the header {len(header)}: is a separator inside a cell without quotes?"
            problems.append(Problem(file, line, 1, message))
            continue
        machine = _machine(row, places, file, line)
        if machine.name.casefold() in (ALL, UNGROUPED):
            message = f"'{machine.name}' is the name of a group of every inventory: give the machine another name"
            problems.append(Problem(file, line, 1, message))
        elif machine.name:
            found.append(machine)
        else:
            problems.append(Problem(file, line, 1, "the machine has no name"))
    if problems:
        raise InvalidInput(problems[:20])
    if not found:
        raise InvalidInput([Problem(file, 0, 0, "the table names no machine")])
    return found


def into(tree: Tree, machines: Sequence[Machine]) -> None:
    """Each row becomes a host; the rest of what it says are plain variables. Two machines of one name are a problem."""
    for machine in machines:
        first = tree.rows.setdefault(machine.name.casefold(), machine)
        wrong = _not_added(tree, machine, first)
        if wrong:
            tree.problems.append(Problem(machine.source, machine.line, 1, wrong))
            continue
        tree.add_named(machine.name, UNGROUPED, Problem(machine.source, machine.line, 1, ""))
        for key, value in variables(machine).items():
            tree.set_host(machine.name, key, Var(value, machine.source, machine.line, 1))


def _not_added(tree: Tree, machine: Machine, first: Machine) -> str:
    """Why a row adds no host; empty when it does. `first` is the first row of that name."""
    if machine.name in tree.groups:
        return f"a group is named '{machine.name}': give the machine another name"
    same_file = machine.source == first.source
    telling = ("fqdn", "serial", "address") if same_file else ("fqdn", "serial")  # a later table may correct an address
    pairs = ((getattr(machine, f).casefold(), getattr(first, f).casefold()) for f in telling)
    if any(one and other and one != other for one, other in pairs):
        where = f"line {first.line}" + ("" if same_file else f" of {first.source}")
        return (
            f"another machine is named '{machine.name}' on {where}: give each a name of its own, "
            "or let `auditor inventory import` tell them apart"
        )
    return ""


def variables(machine: Machine) -> dict[str, str]:
    """The variables of an inventory that say what the row says."""
    told = {f"asset_{f}": getattr(machine, f) for f in FIELDS if f not in ("name", "address", "fqdn")}
    wanted = {"ansible_host": machine.address or machine.fqdn, "auditor_platform": platform(machine.os, machine.kind)}
    return {key: value for key, value in {**wanted, **told}.items() if value}


def platform(system: str, kind: str = "") -> str:
    """The platform family that the name of a system hints at; empty when it does not."""
    words = f"{system} {kind}".casefold()
    hints = (
        ("windows", r"windows|\bwin(10|11|7)\b"),
        ("cisco_ios", r"cisco|\bios.?xe\b"),
        (
            "other",
            r"imprimante|printer|\besxi?\b|vmware|android|\bios\b|mac ?os|os x|fortios|\bswitch\b|commutateur|t[ée]l[ée]phone",
        ),
        ("linux", r"linux|debian|ubuntu|red ?hat|rhel|centos|rocky|alma|suse|sles|fedora"),
    )
    return next((name for name, pattern in hints if re.search(pattern, words)), "")


# ---------------------------------------------------------------- text and rows


def _text(data: bytes, file: str) -> str:
    """UTF-8, UTF-16 with its mark (PowerShell), else Windows-1252."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise InvalidInput(
                [Problem(file, text[: text.index("\0")].count("\n") + 1, 1, "holds a NUL byte: it is no table")]
            )
        return text
    raise InvalidInput([Problem(file, 0, 0, "is text of no encoding that we read: save it as UTF-8")])


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins at; PowerShell's #TYPE line and Excel's sep= line are passed over."""
    lines = text.splitlines(keepends=True)
    skipped = 0
    separator = ""
    while lines[skipped:] and (not lines[skipped].strip() or re.match(r"#TYPE |sep=.$", lines[skipped].strip())):
        if lines[skipped].startswith("sep="):
            separator = lines[skipped][4]
        skipped += 1
    if not lines[skipped:]:
        return
    reader = csv.reader(
        io.StringIO("".join(lines[skipped:])), delimiter=separator or _separator(lines[skipped]), strict=True
    )
    line = skipped + 1
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS:
                raise InvalidInput([Problem(file, line, 1, f"more than {MAX_COLUMNS} columns")])
            yield line, row
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput([Problem(file, line, 1, f"no CSV: {error}")]) from None


def _separator(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(";,\t", key=bare.count)


def _clapi(text: str, file: str) -> Iterator[Machine]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(";")
        if tuple(words[:2]) == _CLAPI:
            if len(words) < 5 or not words[2].strip():
                raise InvalidInput([Problem(file, number, 1, "a HOST;ADD line has a name, an alias and an address")])
            yield Machine(words[2].strip(), address=_address(words[4]), fqdn=_fqdn(words[4]), source=file, line=number)


# ---------------------------------------------------------------- columns


def _folded(header: str) -> str:
    """Without case, accents, blanks and signs: `N° de série` to `ndeserie`, `Système d'exploitation - Nom` to ...nom."""
    plain = unicodedata.normalize("NFD", header).casefold()
    return re.sub(r"[^a-z0-9]", "", "".join(c for c in plain if not unicodedata.combining(c)))


def _places(header: Sequence[str], mapping: Mapping[str, str], place: Problem) -> dict[str, list[int]]:
    """For each field the columns that say it, best first; `--map` decides alone where it speaks."""
    folded = [_folded(h) for h in header]
    asked = {_folded(column): to for column, to in mapping.items()}
    places: dict[str, list[int]] = {}
    problems: list[Problem] = []
    for to in FIELDS:
        wanted = tuple(c for c, f in asked.items() if f == to and c in folded) or tuple(
            c for c in COLUMNS[to] if c not in asked
        )
        places[to] = [i for c in wanted for i, name in enumerate(folded) if name == c]
        for twice in {folded[i] for i in places[to] if folded.count(folded[i]) > 1}:
            shown = next(h for h, f in zip(header, folded, strict=True) if f == twice)
            problems.append(
                Problem(
                    place.file, place.line, 1, f"two columns are named '{shown}': rename one, which is not the {to}"
                )
            )
    if not places["name"] and not places["fqdn"]:
        known = ", ".join(h for h in header if h.strip())[:300]
        hint = "say which one it is with `auditor inventory import --map COLUMN=name`"
        problems.append(
            Problem(place.file, place.line, 1, f"no column holds the machines' names; {hint} (columns: {known})")
        )
    if problems:
        raise InvalidInput(problems)
    return places


def mapped(given: Sequence[str]) -> dict[str, str]:
    """`--map COLUMN=FIELD` words to column: field. Raises InvalidInput."""
    found: dict[str, str] = {}
    for word in given:
        column, equals, to = word.rpartition("=")
        if not equals or not column.strip():
            raise InvalidInput(f"--map {word}: write it COLUMN=FIELD")
        if to not in FIELDS:
            raise InvalidInput(f"--map {word}: there is no field '{to}'{did_you_mean(to, FIELDS)}")
        found[column] = to
    return found


def _machine(row: Sequence[str], places: Mapping[str, Sequence[int]], file: str, line: int) -> Machine:
    said = {f: next((v for i in places[f] if i < len(row) and (v := _cell(row[i]))), "") for f in FIELDS}
    cell = next((v for i in places["address"] if i < len(row) and (v := row[i].strip())), "")
    said["fqdn"] = said["fqdn"].rstrip(".") or (_fqdn(said["name"]) if "." in said["name"] else "") or _fqdn(cell)
    name = said["name"].rstrip("$") if said["name"] else said["fqdn"]  # an AD account's name ends with $
    said["name"] = name if _is_ip(name) else name.partition(".")[0]
    said["address"] = _address(cell)
    if not names.is_address(said["name"]) or "[" in said["name"]:
        said["name"] = re.sub(r"[^\w.-]+", "-", said["name"]).strip("-_.")
    return Machine(**said, source=file, line=line)


def _cell(text: str) -> str:
    """One line of printable text."""
    first = next((part.strip() for part in re.split(r"<br ?/?>|[\r\n]", text) if part.strip()), "")
    return "".join(c for c in first if c.isprintable())[:200]


def _address(text: str) -> str:
    """The address to connect to, of all that a cell holds: an IPv4 one before IPv6, loopback and link-local last."""
    found = [a for word in re.split(r"<br ?/?>|[\s,;|]+", text) if (a := _ip(word.partition("/")[0]))]
    return min(
        found, key=lambda a: (a.is_loopback or a.is_link_local or a.is_unspecified, a.version), default=""
    ).__str__()


def _ip(word: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(word)
    except ValueError:
        return None


def _is_ip(text: str) -> bool:
    return _ip(text) is not None


def _fqdn(text: str) -> str:
    """A name with a domain, and no address."""
    text = text.strip().rstrip(".")
    return text if "." in text and not _is_ip(text) and names.is_address(text) and "[" not in text else ""
