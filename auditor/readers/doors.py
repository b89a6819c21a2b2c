"""Processes, listeners and marks of a host in; which doors it serves, other than SSH, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers import listeners, processes

# Says which programs ask for a proof again, which doors let in without one, and who is barred from Cockpit: no command
# line and no file is shown.
MARKS = Command(
    r"""for p in sudo sudo-rs doas su pkexec; do
  if command -v "$p" >/dev/null; then echo "program $p"; fi
done
for f in /usr/lib/cockpit /usr/libexec/cockpit-ws; do if [ -e "$f" ]; then echo 'program cockpit'; break; fi; done
if [ "$(systemctl is-active cockpit.socket 2>/dev/null)" = active ]; then echo 'served Cockpit'; fi
if [ -e /sys/class/tty/tty0 ]; then echo 'program vt'; fi
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in agetty|getty|mingetty|fgetty|mgetty) ;; *) continue ;; esac
  tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null
  echo
done | awk '/^(--autologin(=.*)?|--autolog.*|-a.*)$/ || /(^|[ \t])-f[ \t]/ { print "open console" }
  /^(-l.*|-n|--login-program.*|--skip-login)$/ { print "other console" }' | sort -u
# says WORDS PATTERN FILE...: the words, where one of the files has such a line
says() {
  w=$1 e=$2
  shift 2
  for f in "$@"; do
    if [ -f "$f" ] && grep -qsE "$e" "$f"; then
      echo "$w"
      return
    fi
  done
}
says 'open GDM' '^[[:space:]]*(AutomaticLoginEnable|TimedLoginEnable)[[:space:]]*=[[:space:]]*([Tt]rue|1)' /etc/gdm/custom.conf \
  /etc/gdm3/daemon.conf /etc/gdm3/custom.conf /etc/gdm/daemon.conf
says 'open LightDM' '^[[:space:]]*autologin-user[[:space:]]*=[[:space:]]*[^[:space:]]' /etc/lightdm/lightdm.conf \
  /etc/lightdm/lightdm.conf.d/*.conf /usr/share/lightdm/lightdm.conf.d/*.conf
says 'open SDDM' '^[[:space:]]*User[[:space:]]*=[[:space:]]*[^[:space:]]' /etc/sddm.conf /etc/sddm.conf.d/*.conf /usr/lib/sddm/sddm.conf.d/*.conf
says 'open LXDM' '^[[:space:]]*autologin[[:space:]]*=[[:space:]]*[^[:space:]]' /etc/lxdm/lxdm.conf
says 'open GDM' '^DISPLAYMANAGER_AUTOLOGIN="?[^"[:space:]]' /etc/sysconfig/displaymanager
f=/etc/cockpit/cockpit.conf
if [ -f "$f" ] && grep -qsiE '^[[:space:]]*ClientCertAuthentication[[:space:]]*=[[:space:]]*(yes|true|1|on)' "$f"; then
  echo 'certificates Cockpit'
fi
f=/etc/pam.d/cockpit
if [ -f "$f" ] && grep -qsE 'pam_listfile.*sense=deny.*file=/etc/cockpit/disallowed-users' "$f"; then
  sed -n 's/^[[:space:]]*\([^#[:space:]][^[:space:]]*\).*/barred \1/p' /etc/cockpit/disallowed-users 2>/dev/null
fi
echo end""",
    timeout_s=10,
    cap_bytes=8192,
)


@dataclass(frozen=True, slots=True)
class Door:
    """A way in that PAM decides on. The first group of services that the host has is asked, all of that group.

    `processes` as the kernel shows them; `ports` that its socket waits on where another program starts it.
    """

    name: str
    services: tuple[tuple[str, ...], ...]
    processes: tuple[str, ...]
    remote: bool = False
    ports: tuple[int, ...] = ()


CONSOLE = "console"
DOORS = (
    Door(CONSOLE, (("login",),), ("agetty", "getty", "mingetty", "fgetty", "mgetty")),
    Door("GDM", (("gdm-password", "gdm-fingerprint", "gdm-smartcard", "gdm-pin"), ("gdm",)), ("gdm", "gdm3")),
    Door("LightDM", (("lightdm",),), ("lightdm",)),
    Door("SDDM", (("sddm",),), ("sddm",)),
    Door("LXDM", (("lxdm",),), ("lxdm", "lxdm-binary")),
    Door("XDM", (("xdm",),), ("xdm",)),
    Door("greetd", (("greetd",),), ("greetd",)),
    Door("Cockpit", (("cockpit",),), ("cockpit-ws", "cockpit-tls"), remote=True, ports=(9090,)),
    Door("xrdp", (("xrdp-sesman",),), ("xrdp", "xrdp-sesman"), remote=True),
    Door("telnet", (("remote",), ("login",)), ("telnetd", "in.telnetd", "utelnetd"), remote=True, ports=(23,)),
    Door(
        "rlogin",
        (("rlogin", "rsh", "rexec"),),
        ("rlogind", "in.rlogind", "rshd", "in.rshd", "rexecd", "in.rexecd"),
        remote=True,
        ports=(512, 513, 514),
    ),
)
# What decides for itself whom it lets in, in ways that a host does not tell: a shell or a desktop to whoever comes through,
DESKTOPS = {
    "Shell In A Box": ("shellinaboxd",),
    "ttyd": ("ttyd",),
    "GoTTY": ("gotty",),
    "WeTTY": ("wetty",),
    "Webmin": ("miniserv.pl",),
    "Guacamole": ("guacd",),
    "VNC": (
        *(
            "Xvnc",
            "Xvnc4",
            "Xtigervnc",
            "Xtightvnc",
            "Xrealvnc",
            "Xkasmvnc",
            "x11vnc",
            "x0vncserver",
            "x0tigervncserver",
        ),
        *("vino-server", "krfb", "wayvnc", "vncserver-x11-core", "vncserver-x11-serviced"),
    ),
    "RDP": ("gnome-remote-desktop-daemon", "krdpserver"),
    "NoMachine": ("nxserver.bin", "nxd"),
    "TeamViewer": ("teamviewerd",),
    "AnyDesk": ("anydesk",),
    "RustDesk": ("rustdesk",),
    "xpra": ("xpra",),
    "MeshCentral": ("meshagent",),
    "VS Code tunnel": ("code-tunnel",),
    "Teleport": ("teleport",),
}
# or a network.
UNTOLD = {
    **DESKTOPS,
    "Tailscale": ("tailscaled",),
    "ZeroTier": ("zerotier-one",),
    "NetBird": ("netbird",),
    "OpenVPN Access Server": ("openvpnas",),
    "SoftEther": ("vpnserver",),
    "PPTP": ("pptpd",),
    "L2TP": ("xl2tpd",),
    "accel-ppp": ("accel-pppd",),
    "libreswan": ("pluto",),
    "userspace WireGuard": ("wireguard-go", "boringtun", "boringtun-cli"),
}
VPNS = {
    "OpenVPN": ("openvpn",),
    "strongSwan": ("charon", "charon-systemd"),
    "ocserv": ("ocserv", "ocserv-main"),
}
# What opens a console when somebody asks for one.
LOGIND = ("systemd-logind", "elogind")
VNC_PORTS = range(5900, 5910)
PROCESSES = (
    *LOGIND,
    *(name for door in DOORS for name in door.processes),
    *(name for catalogue in (UNTOLD, VPNS) for names in catalogue.values() for name in names),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What tells whether a door is served; `marks` are the lines that MARKS prints."""

    running: processes.Processes
    open_ports: listeners.Listeners
    marks: frozenset[str]

    def runs(self, names: Iterable[str]) -> bool | Unknown:
        """Whoever runs it: somebody of that name serves a door, or claims to."""
        wanted = {name[: processes.NAME_LENGTH] for name in names}
        return True if any(p.name in wanted for p in self.running.seen) else self.running.missing or False

    def untold(self, product: str) -> bool:
        """Whether one of UNTOLD lets people in; VNC also by its ports, since machines that a host runs have screens there."""
        by_port = product == "VNC" and self.open_ports.any_of(VNC_PORTS) is True
        return by_port or self.runs(UNTOLD[product]) is True

    def served(self, door: Door) -> bool | Unknown:
        if f"served {door.name}" in self.marks:
            return True
        runs = self.runs(door.processes)
        if runs is True:
            return True
        if door.name == CONSOLE and "program vt" in self.marks:  # logind opens a getty when somebody asks for one
            return self.runs(LOGIND)
        if door.name == "Cockpit" and "program cockpit" not in self.marks:
            return False
        waits = self.open_ports.any_of(door.ports) if door.ports else False
        return True if waits is True else next((x for x in (runs, waits) if isinstance(x, Unknown)), False)


def marks(answer: Answer) -> frozenset[str] | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.removesuffix("\n").split("\n")
    if not lines or lines[-1] != "end":
        raise Unreadable("what the doors are marked by is not complete")
    return frozenset(lines[:-1])
