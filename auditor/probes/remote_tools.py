"""Which tools of remote access and which tunnels a host has: processes, paths and listeners in, tools out. Pure.

A tool that waits at a relay outside needs no open port here: it is told by its process or by what it installs. Names are
those of the products' own packages for Linux.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import listeners, processes
from auditor.readers.undated import undated

REVERSE = "reverse SSH tunnel"


@dataclass(frozen=True, slots=True)
class Tool:
    """As it shows on a host. `processes` are what they run as, and `*` ends a beginning; `programs` lie in a folder of
    programs; `paths` are globs; `ports` are listened on by nothing else."""

    name: str
    processes: tuple[str, ...]
    programs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


_VNC = (
    "Xvnc", "Xvnc4", "Xtigervnc", "Xtightvnc", "Xrealvnc", "Xkasmvnc", "x11vnc", "x0vncserver", "x0tigervncserver",
    "vino-server", "krfb", "wayvnc", "vncserver-x11-core", "vncserverui", "vncserver-x11-serviced", "tigervncserver",
)  # fmt: skip
_VNC_PROGRAMS = ("Xvnc", "Xtigervnc", "Xtightvnc", "x11vnc", "x0vncserver", "vino-server", "wayvnc", "vncserver-x11")


def _same(name: str, *programs: str) -> Tool:
    """What runs under the name of its program."""
    return Tool(name, programs, programs)


TOOLS = (
    Tool("VNC", _VNC, _VNC_PROGRAMS, ports=tuple(range(5900, 6000))),
    Tool("RDP", ("xrdp", "xrdp-sesman", "gnome-remote-desktop-daemon", "krdpserver"), ("xrdp",), ports=(3389,)),
    Tool(
        "TeamViewer",
        ("teamviewerd", "TeamViewer", "TeamViewer_Desktop"),
        ("teamviewer",),
        ("/opt/teamviewer",),
        (5938,),
    ),
    Tool("AnyDesk", ("anydesk",), ("anydesk",), ("/usr/share/anydesk",)),
    Tool(
        "RustDesk",
        ("rustdesk", "hbbs", "hbbr"),
        ("rustdesk", "hbbs", "hbbr"),
        ("/usr/share/rustdesk", "/usr/lib/rustdesk"),
    ),
    Tool("Chrome Remote Desktop", ("chrome-remote-desktop*",), (), ("/opt/google/chrome-remote-desktop",)),
    Tool("NoMachine", ("nxserver.bin", "nxnode.bin", "nxd"), (), ("/usr/NX",)),
    Tool("Splashtop", ("SRStreamer", "SRServer", "splashtop-strea*"), (), ("/opt/splashtop-streamer",)),
    Tool("ScreenConnect", (), (), ("/opt/screenconnect*", "/opt/connectwisecontrol-*")),
    Tool(
        "MeshCentral",
        ("meshagent*",),
        ("meshagent",),
        ("/usr/local/mesh_services", "/usr/local/mesh", "/opt/meshcentral"),
    ),
    Tool("DWService", ("dwagsvc", "dwagent", "dwaglnc"), (), ("/usr/share/dwagent", "/opt/dwagent")),
    Tool("RemotePC", ("remotepc-host",), (), ("/opt/remotepc-host", "/opt/remotepc")),
    Tool("BeyondTrust", ("bomgar-*",), (), ("/opt/bomgar*", "/opt/BeyondTrust*")),
    Tool("Tactical RMM", ("tacticalagent",), ("tacticalagent",), ("/opt/tacticalagent",)),
    Tool("NinjaOne", ("ninjarmm-linagent",), (), ("/opt/NinjaRMMAgent",)),
    Tool("Guacamole", ("guacd",), ("guacd",)),
    Tool("xpra", ("xpra",), ("xpra",)),
    Tool("Webmin", ("miniserv.pl",), (), ("/usr/share/webmin", "/usr/libexec/webmin", "/opt/webmin")),
    Tool("web terminal", ("ttyd", "gotty", "wetty", "shellinaboxd"), ("ttyd", "gotty", "wetty", "shellinaboxd")),
    Tool("shared terminal", ("tmate", "upterm", "sshx"), ("tmate", "upterm", "sshx")),
    Tool("VS Code tunnel", ("code-tunnel", "devtunnel"), ("devtunnel",)),
    _same("ngrok", "ngrok"),
    _same("Cloudflare Tunnel", "cloudflared"),
    _same("frp", "frpc", "frps"),
    _same("bore", "bore"),
    Tool("Tailscale", ("tailscaled",), ("tailscaled",)),
    Tool("ZeroTier", ("zerotier-one",), ("zerotier-one",), ("/var/lib/zerotier-one",)),
    _same("NetBird", "netbird"),
    Tool("Netmaker", ("netclient",), ("netclient",), ("/etc/netclient",)),
    _same("Nebula", "nebula"),
    Tool("Twingate", ("twingated", "twingate-connec*"), ("twingate-connector", "twingated")),
    Tool("Hamachi", ("hamachid",), (), ("/opt/logmein-hamachi",)),
    _same("Husarnet", "husarnet-daemon"),
    Tool("remote.it", ("remoteit", "connectd.*"), ("remoteit",), ("/usr/share/remoteit",)),
    _same("tinc", "tincd"),
    Tool("Teleport", ("teleport",), ("teleport",)),
    _same("chisel", "chisel"),
    _same("rathole", "rathole"),
    _same("inlets", "inlets", "inlets-pro"),
    _same("PageKite", "pagekite.py", "pagekite"),
    _same("LocalXpose", "loclx"),
    _same("zrok", "zrok"),
    Tool("playit", ("playit", "playitd"), ("playit",)),
    _same("wstunnel", "wstunnel"),
    _same("gsocket", "gs-netcat", "gs-sftp"),
    _same("iodine", "iodine", "iodined"),
    Tool("Pulseway", ("pulsewayd",), ("pulsewayd",)),
    Tool("Sunshine", ("sunshine",), ("sunshine",)),
    Tool("HopToDesk", ("hoptodesk",), ("hoptodesk",)),
    Tool("Getscreen", ("getscreen",), ("getscreen",), ("/opt/getscreen.me",)),
    _same("rport", "rport"),
    Tool("OpenZiti", ("ziti-edge-tunnel", "ziti"), ("ziti-edge-tunnel",)),
    Tool(REVERSE, ()),  # told by what ssh is called with
)

# The names of all processes, those of containers too, which share the host's network or its kernel; where programs of the
# catalogue lie; where a reverse tunnel is run or written down. No command line and no file is shown.
SEEN = Command(
    rf"""cat /proc/[0-9]*/comm 2>/dev/null | sort -u | sed 's/^/c /'
if [ -r /proc/1/comm ]; then echo whole; fi
for d in /proc/[0-9]*; do
  c=
  {{ read -r c <"$d/comm"; }} 2>/dev/null
  case $c in ssh|autossh) ;; *) continue ;; esac
  tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null
done | awk 'r && /[0-9]/ || /^-[46AaCfGgKkMNnqsTtVvXxYy]*R.*[0-9]/ || tolower($0) ~ /^(-o)?[ \t]*remoteforward/ {{ print "reverse process"; exit }}
  {{ r = /^-[46AaCfGgKkMNnqsTtVvXxYy]*R$/ }}'
grep -lsE '^([^#;]*[/[:space:]=@-])?(auto)?ssh[[:space:]]([^#]*[[:space:]])?(-[46AaCfGgKkMNnqsTtVvXxYy]*R *("?[$*[]|([^[:space:]/]*:)?[0-9]+([:[:space:]]|$))|-o *RemoteForward)' \
  /etc/systemd/system/*.service /etc/systemd/system/*.d/*.conf /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*ssh*.service \
  /etc/rc.local /etc/crontab /etc/cron.d/* /var/spool/cron/* /var/spool/cron/crontabs/* /etc/inittab /etc/init.d/* | sed 's/^/reverse /'
grep -lsE '^[[:space:]]*[Rr]emote[Ff]orward[[:space:]=]+"?([^[:space:]/]*:)?[0-9]+(["[:space:]]|$)' /etc/ssh/ssh_config \
  /etc/ssh/ssh_config.d/*.conf /root/.ssh/config /home/*/.ssh/config | sed 's/^/reverse /'
for p in {" ".join(dict.fromkeys(p for tool in TOOLS for p in tool.programs))}; do
  for d in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /usr/libexec /opt/bin /snap/bin /root /root/bin; do
    if [ -f "$d/$p" ]; then echo "program $p"; break; fi
  done
done
for p in {" ".join(dict.fromkeys(p for tool in TOOLS for p in tool.paths))}; do
  if [ -e "$p" ]; then echo "path $p"; fi
done
echo end""",
    timeout_s=15,
)
SEEN_ROOT = replace(SEEN, elevated=True)
NAMES = tuple(name for tool in TOOLS for name in tool.processes)
OURS, CALLED = processes.among(*NAMES), processes.among(*NAMES, mark=b"c")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "seen": SEEN,
        "seen_root": SEEN_ROOT,
        "processes": processes.PROCESSES,
        "processes_root": processes.PROCESSES_ROOT,
        "listeners": listeners.LISTENERS,
    }


@dataclass(frozen=True, slots=True)
class _Seen:
    """`names`: what processes are called; `files`: the lines that tell what is installed or written down."""

    names: frozenset[str]
    files: frozenset[str]
    ports: frozenset[int]
    missing: Unknown | None


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    seen = _seen(answers)
    found = [told for tool in TOOLS if (told := _told(tool, seen))]
    return {"tools": Partial(tuple(found), seen.missing) if seen.missing else found}


def _seen(answers: Mapping[str, Answer]) -> _Seen:
    lines: set[str] = set()
    missing: Unknown | None = None
    whole = False
    for answer in (answers["seen_root"], answers["seen"]):
        told = _lines(answer)
        if isinstance(told, Unknown):
            missing = missing or told
            continue
        lines |= told
        whole = whole or "whole" in told
    if whole:
        missing = None if not isinstance(answers["seen_root"], Failure) else answers["seen_root"].unknown()
    elif missing is None:
        missing = Unknown("no_privilege", "the host hides its processes")
    running = processes.read(answers["processes_root"], answers["processes"])
    waiting = listeners.read(answers["listeners"])
    programs = {p.exe.removesuffix(" (deleted)").rpartition("/")[2] for p in running.seen}
    return _Seen(
        names=frozenset(
            {line[2:] for line in lines if line.startswith("c ")} | programs | {p.name for p in running.seen}
        ),
        files=frozenset(line for line in lines if not line.startswith("c ")),
        ports=waiting.ports,
        missing=missing or waiting.missing,
    )


def _lines(answer: Answer) -> frozenset[str] | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.split("\n")
    if "end" not in lines[-2:]:
        raise Unreadable("the list of tools is not complete")
    return frozenset(lines)


def _told(tool: Tool, seen: _Seen) -> Fact:
    """None: nothing of it was seen."""
    live = [*_processes(tool, seen.names), *(f"port {port}" for port in tool.ports if port in seen.ports)]
    lying = [line for line in sorted(seen.files) if line in _programs(tool) or lies(tool, line)]
    if tool.name == REVERSE:
        live += ["process ssh -R"] if "reverse process" in seen.files else []
        lying = [line[8:] for line in sorted(seen.files) if line.startswith("reverse /")]
    if not live and not lying:
        return None
    untold = (
        Unknown("not_told", f"what {tool.name} runs as")
        if not (live or tool.processes or tool.name == REVERSE)
        else None
    )
    return {"tool": tool.name, "running": untold or bool(live), "seen": ", ".join((*live, *lying))[:200]}


def _programs(tool: Tool) -> frozenset[str]:
    return frozenset(f"program {program}" for program in tool.programs)


def lies(tool: Tool, line: str) -> bool:
    place = line.removeprefix("path ") if line.startswith("path ") else ""
    return any(place.startswith(p[:-1]) if p.endswith("*") else place == p for p in tool.paths)


def _processes(tool: Tool, names: frozenset[str]) -> Iterator[str]:
    """The kernel keeps the beginning of a name, a program's own name may be whole."""
    for wanted in tool.processes:
        cut = wanted.removesuffix("*")[: processes.NAME_LENGTH]
        if any(n.startswith(cut) for n in names) if wanted.endswith("*") else cut in names or wanted in names:
            yield f"process {wanted}"


def _on_windows() -> Dialect:
    from auditor.probes.windows import remote_tools as windows

    return Dialect(windows.commands, undated(windows.parse))


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import remote_tools as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Tools of remote access and tunnels", "fr": "Outils d'accès à distance et tunnels"},
    facts={
        "type": "object",
        "properties": {
            "tools": {
                "type": "array",
                "description": "The tools of the catalogue that are installed on the host or run on it, containers included.",
                "items": {
                    "type": "object",
                    "x-name": "tool",
                    "x-also": ["seen"],
                    "properties": {
                        "tool": {
                            "type": "string",
                            "description": "Its name, as the register `remote_tools` declares it.",
                        },
                        "running": {
                            "type": "boolean",
                            "description": "A process of it runs, or its port is listened on.",
                        },
                        "seen": {"type": "string", "description": "What it was told by."},
                    },
                },
            },
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, undated(parse, seen=CALLED, seen_root=CALLED, processes=OURS, processes_root=OURS)),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "root, where the host hides its processes, and to look into the crontabs of accounts",
        "fr": "root, si l'hôte cache ses processus, et pour lire les crontabs des comptes",
    },
)
