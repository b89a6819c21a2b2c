"""Doors other than SSH in a tree of files: what is started and lets somebody in with one factor."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tree_dialects import GROUP, PASSWD, SHADOW, WANTS, answers_of, cause, facts_of, items, made

from auditor.errors import Unreadable
from auditor.medium import WHERE
from auditor.model import Unknown
from auditor.readers import vpn
from auditor.readers.masks import MASKS

SERVER = "etc/openvpn/server/net.conf"
OPENVPN = (
    "port 1194\nserver 10.8.0.0 255.255.255.0\ncert net.crt\n"
    "plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so openvpn\n<key>\nserver canary\n</key>\n"
)
TWO = "auth required pam_unix.so\nauth required pam_google_authenticator.so\n"
ONE = "auth required pam_unix.so\n"
STARTED = {f"{WANTS}/openvpn-server@net.service": "->/lib/systemd/system/openvpn-server@.service"}
PEOPLE = {
    "etc/passwd": PASSWD.replace("eve::", "eve:x:"),
    "etc/group": GROUP,
    "etc/shadow": SHADOW,
    "etc/nsswitch.conf": "passwd: files\n",
    "etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\n",
    "etc/ssh/sshd_config": "UsePAM yes\n",
    "etc/pam.d/other": "auth required pam_deny.so\n",
}
WITH_A_CODE = {**PEOPLE, **STARTED, SERVER: OPENVPN, "etc/pam.d/openvpn": TWO}


def doors(folder: Path, fact: str = "remote_doors") -> list[tuple[str, Any]]:
    found = [(d["door"], d["two_factors"]) for d in items(facts_of("doors", folder)[fact])]
    return [(door, cause(two) or two) for door, two in found]


def changed(folder: Path, **files: str) -> Path:
    for name in files:
        (folder / name).unlink(missing_ok=True)
    return made(folder, **files)


# ---------------------------------------------------------------- a change that takes a factor away


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({SERVER: OPENVPN.replace("plugin", "# plugin")}, f"/{SERVER}:2"),
        ({SERVER: OPENVPN.replace("plugin", ";plugin")}, f"/{SERVER}:2"),
        ({SERVER: OPENVPN + "verify-client-cert none\n", "etc/pam.d/openvpn": ONE}, f"/{SERVER}:8"),
        ({SERVER: OPENVPN + "auth-user-pass-optional\n"}, f"/{SERVER}:8"),
    ],
)
def test_a_vpn_that_loses_its_second_factor(tmp_path: Path, change: Mapping[str, str], line: str) -> None:
    made(tmp_path, **WITH_A_CODE)
    assert doors(tmp_path) == [(f"OpenVPN /{SERVER}", True)]
    assert "canary" not in str(answers_of("doors", tmp_path))
    changed(tmp_path, **change)
    assert (f"OpenVPN /{SERVER}", False) in doors(tmp_path)
    facts = facts_of("doors", tmp_path)
    assert facts["serves_remotely"] is True
    assert line in items(facts["remote_doors"])[-1][WHERE]


def test_a_certificate_and_a_password_that_loses_the_certificate(tmp_path: Path) -> None:
    made(tmp_path, **{**WITH_A_CODE, "etc/pam.d/openvpn": ONE})
    assert doors(tmp_path) == [(f"OpenVPN /{SERVER}", True)]
    changed(tmp_path, **{SERVER: OPENVPN + "verify-client-cert none\n"})
    assert doors(tmp_path) == [(f"OpenVPN /{SERVER}", False)]
    assert "/etc/pam.d/openvpn" in items(facts_of("doors", tmp_path)["remote_doors"])[0][WHERE]


@pytest.mark.parametrize(
    ("files", "door"),
    [
        ({"etc/wireguard/wg0.conf": "[Interface]\nPrivateKey=canary\n[Peer]\nPublicKey=canary\n", f"{WANTS}/wg-quick@wg0.service": "->/lib/systemd/system/wg-quick@.service"}, ("WireGuard wg0", False)),
        ({"etc/wireguard/wg0.conf": "[Peer]\nEndpoint = a:1\n", f"{WANTS}/wg-quick@wg0.service": "->/x"}, ("WireGuard wg0", "not_observable")),
        ({"etc/ocserv/ocserv.conf": 'auth = "certificate"\n', f"{WANTS}/ocserv.service": "->/x"}, ("ocserv way 1", False)),
        ({"etc/ocserv/ocserv.conf": 'auth = "certificate"\nauth = "plain[passwd=/x]"\n', f"{WANTS}/ocserv.service": "->/x"}, ("ocserv way 1", True)),
        ({"etc/ipsec.conf": "conn road\n\tauto=add\n\tright=%any\n\trightauth=pubkey\n", f"{WANTS}/strongswan-starter.service": "->/x"}, ("strongSwan road", False)),
        ({"etc/swanctl/conf.d/a.conf": "connections { road { remote-1 { auth = pubkey } } }\nsecrets { eap-x { secret = canary } }\n", f"{WANTS}/strongswan.service": "->/x"}, ("strongSwan road", False)),
        ({"etc/pam.d/xrdp-sesman": ONE, f"{WANTS}/xrdp.service": "->/x"}, ("xrdp", False)),
        ({"etc/pam.d/cockpit": ONE, "etc/systemd/system/sockets.target.wants/cockpit.socket": "->/x"}, ("Cockpit", False)),
        ({f"{WANTS}/ttyd.service": "->/x"}, ("ttyd", "not_told")),
    ],
)  # fmt: skip
def test_doors_of_one_factor(tmp_path: Path, files: Mapping[str, str], door: tuple[str, Any]) -> None:
    made(tmp_path, **PEOPLE, **files)
    assert doors(tmp_path) == [door]
    assert "canary" not in str(answers_of("doors", tmp_path))
    assert items(facts_of("doors", tmp_path)["remote_doors"])[0][WHERE]


GETTY = "etc/systemd/system/getty@tty1.service.d/a.conf"


@pytest.mark.parametrize(
    ("files", "door"),
    [
        ({GETTY: "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root %I\n"}, ("console", False)),
        ({GETTY: "[Service]\nExecStart=-/sbin/agetty -a root %I\n"}, ("console", False)),
        (
            {
                "etc/systemd/system/display-manager.service": "->/lib/systemd/system/gdm3.service",
                "etc/gdm3/custom.conf": "[daemon]\nAutomaticLoginEnable = True\n",
            },
            ("GDM", False),
        ),
    ],
)
def test_doors_that_let_in_by_themselves(tmp_path: Path, files: Mapping[str, str], door: tuple[str, Any]) -> None:
    made(tmp_path, **PEOPLE, **files)
    assert door in doors(tmp_path, "logins")
    assert items(facts_of("doors", tmp_path)["console_one_factor"])
    found = items(facts_of("doors", tmp_path)["logins"])[0]
    assert found[WHERE][0].rpartition(":")[0].lstrip("/") in files


def test_sudo_that_is_not_asked_for_a_code_any_more(tmp_path: Path) -> None:
    made(tmp_path, **PEOPLE, **{"usr/bin/sudo": "", "etc/pam.d/sudo": TWO, "etc/pam.d/sshd": ONE})
    assert doors(tmp_path, "elevations") == [("sudo", True)]
    changed(tmp_path, **{"etc/pam.d/sudo": ONE})
    assert doors(tmp_path, "elevations") == [("sudo", False)]
    (found,) = items(facts_of("doors", tmp_path)["elevations"])
    assert (found["after_two_factors"], found[WHERE]) == (False, ("/etc/pam.d/sudo",))


# ---------------------------------------------------------------- what starts servers for others

OLD = "etc/openvpn/net.conf"
BARE = OPENVPN.replace("plugin", "# plugin")
TELNETD = "service telnet\n{\n  disable = no\n  server = /usr/sbin/in.telnetd\n}\n"
INETD = {f"{WANTS}/openbsd-inetd.service": "->/x"}
XINETD = {"etc/rc3.d/S20xinetd": "->../init.d/xinetd"}


@pytest.mark.parametrize(
    ("files", "door"),
    [
        ({OLD: BARE, "etc/default/openvpn": '# x\nAUTOSTART="net"\n'}, (f"OpenVPN /{OLD}", False)),
        ({OLD: BARE, "etc/default/openvpn": "AUTOSTART=all\n"}, (f"OpenVPN /{OLD}", False)),
        ({OLD: BARE, "etc/default/openvpn": "AUTOSTART=$(x)\n"}, (f"OpenVPN /{OLD}", False)),
        ({OLD: BARE, f"{WANTS}/openvpn.service": "->/x"}, (f"OpenVPN /{OLD}", False)),
        ({OLD: BARE, "etc/rc2.d/S16openvpn": "->../init.d/openvpn"}, (f"OpenVPN /{OLD}", False)),
        ({"etc/inetd.conf": "telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd\n", "etc/pam.d/remote": ONE, **INETD}, ("telnet", False)),
        ({"etc/inetd.conf": "2323 stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n", "etc/pam.d/remote": ONE, **INETD}, ("telnet", False)),
        ({"etc/inetd.conf": "shell stream tcp nowait root /x y\n", "etc/pam.d/rlogin": ONE, **INETD}, ("rlogin", False)),
        ({"etc/inetd.conf": "ftp stream tcp nowait root /x y\n", **INETD}, ("FTP", "not_told")),
        ({"etc/xinetd.d/t": TELNETD, "etc/pam.d/remote": ONE, **XINETD}, ("telnet", False)),
        ({"etc/xinetd.d/t": TELNETD.replace("telnet\n", "mine\n"), "etc/pam.d/remote": ONE, **XINETD}, ("telnet", False)),
        ({"etc/xinetd.d/t": TELNETD.replace("= no", "= no\n id = mine"), "etc/xinetd.conf": "disabled = telnet\nenabled = mine\n",
          "etc/pam.d/remote": ONE, **XINETD}, ("telnet", False)),
        ({"etc/rc.local": "#!/bin/sh\n/usr/sbin/in.telnetd -debug 23 canary &\nexit 0\n"}, ("telnet", "not_told")),
        ({"etc/rc.d/rc.local": "/usr/sbin/sshd -f /canary\n"}, ("OpenSSH", "not_told")),
        ({"etc/rc.local": "openvpn --config /canary --daemon\n"}, ("OpenVPN", "not_told")),
        ({"etc/rc5.d/S01vsftpd": "->../init.d/vsftpd"}, ("FTP", "not_told")),
        ({f"{WANTS}/dropbear.service": "->/x"}, ("Dropbear", "not_told")),
    ],
)  # fmt: skip
def test_a_door_that_something_else_starts(tmp_path: Path, files: Mapping[str, str], door: tuple[str, Any]) -> None:
    made(tmp_path, **PEOPLE, **files)
    assert set(doors(tmp_path)) == {door}
    assert "canary" not in str(answers_of("doors", tmp_path))
    where = items(facts_of("doors", tmp_path)["remote_doors"])[0][WHERE]
    assert where[0].lstrip("/").partition(":")[0] in files


@pytest.mark.parametrize(
    "files",
    [
        {OLD: BARE, "etc/default/openvpn": 'AUTOSTART="none"\n', f"{WANTS}/openvpn.service": "->/x"},
        {OLD: BARE, "etc/default/openvpn": "#AUTOSTART=all\n"},
        {OLD: BARE, "etc/default/openvpn": "AUTOSTART=all\n", "etc/systemd/system/openvpn.service": "->/dev/null"},
        {"etc/inetd.conf": "#telnet stream tcp nowait root /x in.telnetd\n", **INETD},
        {"etc/inetd.conf": "telnet stream tcp nowait root /x in.telnetd\n"},
        {"etc/xinetd.d/t": TELNETD.replace("= no", "= yes"), **XINETD},
        {"etc/xinetd.d/t": TELNETD, "etc/xinetd.conf": "defaults\n{\n disabled = ftp telnet\n}\n", **XINETD},
        {"etc/xinetd.d/t": TELNETD, "etc/xinetd.conf": "defaults\n{\n enabled = ftp\n}\n", **XINETD},
        {
            "etc/xinetd.d/t": TELNETD.replace("= no", "= no\n id = mine"),
            "etc/xinetd.conf": "disabled += mine\n",
            **XINETD,
        },
        {"etc/rc.local": "#!/bin/sh\n# sshd -f /x\necho telnet ftp\nexit 0\n"},
        {"etc/rc2.d/K01vsftpd": "->../init.d/vsftpd"},
        {"etc/rc2.d/S01vsftpd": "->../init.d/vsftpd", "etc/systemd/system/vsftpd.service": "->/dev/null"},
        {"etc/rc2.d/S01vsftpd": "->../init.d/vsftpd", "usr/lib/systemd/system/vsftpd.service": "[Service]\n"},
    ],
)
def test_what_nothing_starts_is_no_door(tmp_path: Path, files: Mapping[str, str]) -> None:
    facts = facts_of("doors", made(tmp_path, **PEOPLE, **files))
    assert (items(facts["remote_doors"]), cause(facts["remote_doors"])) == ([], "not_observable")


@pytest.mark.parametrize("mask", ["autostart", "inetd", "rc_local"])
@given(text=st.lists(st.sampled_from(["telnet ", "service ", "disable = yes", "server=", "sshd", "{", "}", "\n", "\r", "\t", "AUTOSTART=", '"', "a b c d e ", "\xff", "#"]), max_size=30).map("".join))  # fmt: skip
def test_masks_of_servers_keep_the_lines(mask: str, text: str) -> None:
    told = MASKS[mask](text.encode("latin-1"))
    assert told.count(b"\n") == text.count("\n")


# ---------------------------------------------------------------- what files do not tell


@pytest.mark.parametrize(
    "files",
    [
        {SERVER: "server 10.8.0.0\n"},
        {SERVER: "server 10.8.0.0\n", f"{WANTS}/openvpn-server@other.service": "->/x"},
        {SERVER: "server 10.8.0.0\n", **STARTED, "etc/systemd/system/openvpn-server@net.service": "->/dev/null"},
        {SERVER: "server 10.8.0.0\n", **STARTED, "etc/systemd/system/openvpn-server@.service": "->/dev/null"},
        {SERVER: "client\nremote x\n", **STARTED},
        {"etc/openvpn/client/net.conf": "server 10.8.0.0\n", **STARTED},
        {"etc/swanctl/swanctl.conf": "connections { road { remote { auth = pubkey } } }\n"},
        {"etc/wireguard/wg0.conf": "[Peer]\n"},
        {"etc/pam.d/xrdp-sesman": ONE},
        {"etc/systemd/system/sockets.target.wants/cockpit.socket": "->/dev/null", "etc/pam.d/cockpit": ONE},
        {
            "etc/systemd/system/sockets.target.wants/cockpit.socket": "->/x",
            "etc/systemd/system/cockpit.socket": "->/dev/null",
        },
    ],
)
def test_what_is_not_known_to_be_started_is_no_door_and_no_absence(tmp_path: Path, files: Mapping[str, str]) -> None:
    facts = facts_of("doors", made(tmp_path, **PEOPLE, **files))
    assert (items(facts["remote_doors"]), cause(facts["remote_doors"])) == ([], "not_observable")
    assert cause(facts["serves_remotely"]) == "not_observable"


def test_nothing_of_doors_is_ever_whole(tmp_path: Path) -> None:
    made(tmp_path, **WITH_A_CODE, **{"usr/bin/sudo": "", "etc/pam.d/sudo": TWO})
    facts = facts_of("doors", tmp_path)
    assert {cause(facts[n]) for n in ("logins", "console_one_factor", "elevations", "remote_doors")} == {
        "not_observable"
    }


@pytest.mark.parametrize("options", ["nullok", "nouserok"])
def test_who_is_enrolled_only_the_host_tells(tmp_path: Path, options: str) -> None:
    pam = f"auth required pam_google_authenticator.so {options}\n"
    made(tmp_path, **{**WITH_A_CODE, "etc/pam.d/openvpn": pam})
    assert set(doors(tmp_path)) == {(f"OpenVPN /{SERVER}", "not_observable")}


def test_without_shadow_nobody_knows_who_has_a_password(tmp_path: Path) -> None:
    one = {**WITH_A_CODE, SERVER: OPENVPN + "verify-client-cert none\n", "etc/pam.d/openvpn": ONE}
    made(tmp_path, **{n: t for n, t in one.items() if n != "etc/shadow"})
    assert {two for _, two in doors(tmp_path)} == {"not_observable"}


@pytest.mark.parametrize("name", [SERVER, "etc/wireguard/wg0.conf", "etc/shadow", "etc/pam.d/openvpn"])
@pytest.mark.parametrize("odd", ["->/outside", "->../../../../../outside", "\\xff"])
def test_an_odd_file_is_said(tmp_path: Path, name: str, odd: str) -> None:
    made(tmp_path, **WITH_A_CODE)
    changed(tmp_path, **{name: odd})
    if not odd.startswith("->"):
        (tmp_path / name).write_bytes(b"\xff\xfe server \xff\n")
    try:
        facts = facts_of("doors", tmp_path)
    except Unreadable:
        return
    factors = {two for _, two in doors(tmp_path)}
    if name in (SERVER, "etc/pam.d/openvpn"):  # what this door decides by; the others are other doors', and passwords'
        assert True not in factors
    if odd.startswith("->"):
        assert "unreadable" in factors | {cause(f) for f in facts.values()}


# ---------------------------------------------------------------- the same rows as on a host

PROGRAMS = re.findall(r"awk '((?:[^']|'\\'')*)'", vpn.VPN.text)
SAMPLES = {
    "openvpn": [OPENVPN, "<plugin>\nx\n</plugin>\n--mode server\nplugin \"a/b\" 'c'\n<connection>\nsecret k\n</connection>\n", "</x>\nmode\n"],
    "ipsec": ['conn %default\n also=x\nconn a # b\n\tright = %any\n\trightauth2="eap-radius"\n\tleftid=canary\ninclude /etc/x\ninclude /etc/ipsec.d/*.conf\nca x\n auto=add\n'],
    "swanctl": ["connections {\n a : b {\n  remote_addrs = %any\n  remote-2 { auth = eap-radius\n id = canary }\n local { auth = psk } } }\nsecrets { ike { secret = canary } }\ninclude conf.d/*.conf\ninclude /x\n"],
    "ocserv": ['auth = "plain[passwd=/x,otp=/y]"\n #auth = x\nenable-auth="pam"\nauth = radius[config=x]\n'],
}  # fmt: skip
STARTS = {"openvpn": 'BEGIN { n = split("server', "ipsec": '{ sub(/#.*/, "") } NF == 0', "swanctl": '{ sub(/#.*/, ""); gsub', "ocserv": "/^[ \\t]*(auth|"}  # fmt: skip


def on_a_host(product: str, text: str) -> list[str]:
    (program,) = [p for p in PROGRAMS if p.lstrip().startswith(STARTS[product])]
    done = subprocess.run(["awk", program], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(("product", "text"), [(p, t) for p, texts in SAMPLES.items() for t in texts])
def test_a_tree_gives_the_rows_that_a_host_prints(product: str, text: str) -> None:
    told = MASKS[product](text.encode()).decode()
    assert [row for line in told.split("\n") for row in line.split("\r") if row] == on_a_host(product, text)


WORDS = ["server", "plugin ", "a/b-auth-pam.so", " login", "<key>", "</key>", "\n", "mode ", "verify-client-cert ", "none", "conn ", "also=", "a", " ", "\t",
         "=", "#", "{", "}", "connections", "remote", "auth", "[passwd=x]", '"', "include ", ":", "enable-"]  # fmt: skip


@pytest.mark.parametrize("product", SAMPLES)
@settings(max_examples=60, deadline=None)
@given(text=st.lists(st.sampled_from(WORDS), max_size=25).map("".join))
def test_whatever_the_text(product: str, text: str) -> None:
    told = MASKS[product](text.encode()).decode()
    ours = [row for line in told.split("\n") for row in line.split("\r") if row]
    assert ours == on_a_host(product, text)


def test_an_unknown_is_none_of_the_hosts_alone(tmp_path: Path) -> None:
    made(tmp_path, **WITH_A_CODE, **{"etc/openvpn/server/x.conf": "server 1\nconfig /etc/openvpn/y\n"})
    made(tmp_path, **{f"{WANTS}/openvpn-server@x.service": "->/x"})
    (found,) = [d for d in items(facts_of("doors", tmp_path)["remote_doors"]) if "x.conf" in d["door"]]
    assert isinstance(found["two_factors"], Unknown)
