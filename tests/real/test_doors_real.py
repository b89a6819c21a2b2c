"""The doors of a real machine: PAM with a real code module, the real sudo, cockpit-ws, OpenVPN and sshd.

Where a verdict says what sudo asks for, sudo itself is tried. A getty needs a terminal: a stand-in of its name waits.
"""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Outcome
from auditor.probes import doors, ssh_logins
from tests.real import namespaces
from tests.real.namespaces import Told, judged

pytestmark = pytest.mark.root
PROGRAMS = ("sudo", "sshd", "cvtsudoers", "openssl", "openvpn", "busybox", "bash")
CODE = "auth required pam_google_authenticator.so"
# bob may use sudo, root's password is locked, and nobody but who is named here exists.
HOST = """
exec 2>&1
mount -t tmpfs none /run; mkdir -p /run/w /run/sshd
cp -a /etc/pam.d /run/w/pam.d; mount --bind /run/w/pam.d /etc/pam.d
printf 'root:x:0:0:CANARY:/run/w/root:/bin/bash\\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\\n' > /run/w/passwd
printf 'bob:x:1000:1000:CANARY:/run/w/bob:/bin/bash\\ncarol:x:1001:1001::/run/w/carol:/bin/bash\\n' >> /run/w/passwd
printf 'root:*:19700:0:99999:7:::\\nbob:%s:19700:0:99999:7:::\\n' "$(openssl passwd -6 -salt CANARY secret)" > /run/w/shadow
printf 'root:x:0:\\nsudo:x:27:bob\\nbob:x:1000:\\ncarol:x:1001:\\nshadow:x:42:\\n' > /run/w/group
printf 'root ALL=(ALL) ALL\\n%%sudo ALL=(ALL) ALL\\n' > /run/w/sudoers; chmod 440 /run/w/sudoers
for f in passwd shadow group sudoers; do mount --bind /run/w/$f /etc/$f; done
mkdir /run/w/bob /run/w/root; chown 1000 /run/w/bob
mkdir /run/w/sshd.d; mount --bind /run/w/sshd.d /etc/ssh/sshd_config.d
printf 'Include /etc/ssh/sshd_config.d/*.conf\\nUsePAM yes\\nKbdInteractiveAuthentication yes\\nPasswordAuthentication no\\n' > /run/w/sshd_config
mount --bind /run/w/sshd_config /etc/ssh/sshd_config
echo 'PermitRootLogin no' > /etc/ssh/sshd_config.d/10.conf
"""
TWO_OVER_SSH = f"""
echo 'AuthenticationMethods publickey,keyboard-interactive' > /etc/ssh/sshd_config.d/30.conf
echo '{CODE}' >> /etc/pam.d/sshd
"""
GETTY = "cp /bin/sleep /run/w/agetty; /run/w/agetty 100 </dev/null >/dev/null 2>&1 &\nsleep 0.3\n"
ENROLLED = """printf 'CANARYCANARYAAAA\\n" TOTP_AUTH\\n12345678\\n' > /run/w/bob/.google_authenticator
chmod 400 /run/w/bob/.google_authenticator; chown 1000 /run/w/bob/.google_authenticator
"""
# What sudo says to the right password, and nothing else
TRY_SUDO = "su bob -s /bin/sh -c 'echo secret | sudo -S -k id -u' 2>/dev/null || echo refused"


@pytest.fixture(autouse=True)
def _needs() -> None:
    namespaces.need(*PROGRAMS)


def ask(more: str = "", after: str = "", **arguments: Any) -> Told:
    told = namespaces.ask(doors.PROBE, "doors", HOST + more, arguments, after=after, alone=True)
    assert "CANARY" not in told.raw and "$6$" not in told.raw and "12345678" not in told.raw
    return told


def of(told: Told, control: str) -> Outcome | None:
    return judged(doors.PROBE, "identity", control, told.facts)


# ---------------------------------------------------------------- sudo


def test_sudo_after_a_login_with_one_factor() -> None:
    told = ask(after=TRY_SUDO)
    assert told.after.strip() == "0"
    assert of(told, "elevation-two-factors") is Outcome.FAIL
    assert [(e["door"], e["two_factors"], e["after_two_factors"]) for e in told.facts["elevations"]] == [
        ("sudo", False, False)
    ]


def test_sudo_after_a_login_with_two_factors() -> None:
    told = ask(TWO_OVER_SSH, after=TRY_SUDO)
    assert told.after.strip() == "0"
    assert of(told, "elevation-two-factors") is Outcome.PASS


def test_sudo_with_a_code_after_a_login_with_one_factor() -> None:
    told = ask(f"echo '{CODE}' >> /etc/pam.d/sudo; cp /etc/pam.d/sudo /etc/pam.d/sudo-i\n" + ENROLLED, after=TRY_SUDO)
    assert told.after.strip() == "refused"
    assert of(told, "elevation-two-factors") is Outcome.PASS


def test_sudo_with_an_optional_code() -> None:
    optional = f"echo '{CODE} nullok' >> /etc/pam.d/sudo; cp /etc/pam.d/sudo /etc/pam.d/sudo-i\n"
    told = ask(optional, after=TRY_SUDO)
    assert told.after.strip() == "0"
    assert of(told, "elevation-two-factors") is Outcome.FAIL
    told = ask(optional + ENROLLED, after=TRY_SUDO)
    assert told.after.strip() == "refused"
    assert of(told, "elevation-two-factors") is Outcome.PASS


STRONG = f"echo '{CODE}' >> /etc/pam.d/sudo; cp /etc/pam.d/sudo /etc/pam.d/sudo-i\n" + ENROLLED
WEAK = "grep -v google /etc/pam.d/sudo > /etc/pam.d/weak; "


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("Defaults pam_service=weak", Outcome.FAIL),
        ("Defaults : bob pam_service=weak", Outcome.PASS),  # no line of sudoers: sudo passes over it
        ("Defaults:bob pam_service=weak", Outcome.FAIL),
        ("Defaults:%sudo pam_login_service=weak", Outcome.FAIL),
        ("Defaults!/usr/bin/id pam_service=weak", Outcome.FAIL),
        ("Defaults>root pam_askpass_service = weak", Outcome.FAIL),
        ("Defaults:root pam_service=weak", Outcome.PASS),
        ("Defaults pam_service=weak, pam_service=sudo", Outcome.PASS),
        ("Defaults@10.0.0.1 pam_service=weak", Outcome.UNKNOWN),
        ("Defaults@10.0.0.1 pam_service=sudo-i", Outcome.PASS),
        ("Defaults pam_service=../weak", Outcome.UNKNOWN),
        ("Defaults pam_service=nowhere", Outcome.FAIL),  # then libpam takes `other`
    ],
)
def test_the_stack_that_is_judged_is_the_one_that_sudo_asks(line: str, outcome: Outcome) -> None:
    told = ask(STRONG + WEAK + f"echo '{line}' >> /run/w/sudoers\n")
    if " : " in line:
        outcome = Outcome.UNKNOWN  # what sudo cannot parse may say anything to another version
    assert of(told, "elevation-two-factors") is outcome


def test_su_counts_where_root_has_a_password() -> None:
    password = "sed -i 's/^root:[*]/root:$6$x$0123456789/' /run/w/shadow; cat /run/w/shadow > /etc/shadow\n"
    told = ask(password + TWO_OVER_SSH)
    assert [e["door"] for e in told.facts["elevations"]] == ["sudo", "su"]
    assert of(told, "elevation-two-factors") is Outcome.PASS
    assert of(ask(password + TWO_OVER_SSH + GETTY), "elevation-two-factors") is Outcome.FAIL


# ---------------------------------------------------------------- console, Cockpit


def test_the_console() -> None:
    assert of(ask(), "admin-doors-two-factors") is Outcome.PASS  # nobody waits there
    told = ask(GETTY)
    assert told.facts["console_one_factor"] == ["bob"]
    assert of(told, "admin-doors-two-factors") is Outcome.WARN  # an account for emergencies
    assert of(ask(GETTY + f"echo '{CODE}' >> /etc/pam.d/login\n"), "admin-doors-two-factors") is Outcome.PASS
    more = """for n in carol dave; do sed -n "s/^bob:/$n:/p" /etc/shadow > /run/w/s; cat /run/w/s >> /etc/shadow; done
echo 'dave:x:1002:1002::/:/bin/sh' >> /etc/passwd
printf 'root:x:0:\\nsudo:x:27:bob,carol,dave\\n' > /etc/group
"""
    told = ask(GETTY + more)
    assert told.facts["console_one_factor"] == ["bob", "carol", "dave"]
    assert of(told, "admin-doors-two-factors") is Outcome.FAIL


def test_a_console_that_logs_somebody_in_by_itself() -> None:
    getty = """cat > /run/w/agetty <<'E'
#!/bin/bash
sleep 100 & wait
E
chmod +x /run/w/agetty; /run/w/agetty --autologin root tty1 </dev/null >/dev/null 2>&1 &
sleep 0.5
"""
    told = ask(getty)
    assert told.facts["console_one_factor"] == ["anybody", "bob"]
    assert of(told, "admin-doors-two-factors") is Outcome.FAIL


def test_cockpit() -> None:
    namespaces.need("/usr/lib/cockpit/cockpit-ws")
    serve = "/usr/lib/cockpit/cockpit-ws --no-tls --port 9090 >/dev/null 2>&1 </dev/null &\nsleep 0.5\n"
    told = ask(serve)
    assert [(e["door"], e["account"], e["two_factors"]) for e in told.facts["logins"]] == [("Cockpit", "bob", False)]
    assert of(told, "admin-doors-two-factors") is Outcome.FAIL
    assert of(told, "remote-doors-two-factors") is Outcome.FAIL
    told = ask(serve + f"echo '{CODE}' >> /etc/pam.d/cockpit\n")
    assert of(told, "admin-doors-two-factors") is Outcome.PASS
    assert of(told, "remote-doors-two-factors") is Outcome.PASS


@pytest.mark.parametrize("program", ["Xtigervnc", "teamviewerd", "gnome-remote-desktop-daemon"])
def test_a_desktop_that_decides_itself_whom_it_lets_in_is_not_passed_over(program: str) -> None:
    told = ask(TWO_OVER_SSH + GETTY.replace("agetty", program))
    assert of(told, "remote-doors-two-factors") is Outcome.UNKNOWN
    assert of(told, "admin-doors-two-factors") is Outcome.UNKNOWN


def test_a_screen_of_vnc_that_another_program_serves() -> None:
    serve = "ip link set lo up\npython3 -m http.server {} </dev/null >/dev/null 2>&1 &\n"
    serve += "for i in $(seq 99); do if grep -q ' 0A ' /proc/net/tcp; then break; fi; sleep 0.1; done\n"
    assert of(ask(serve.format("5901")), "remote-doors-two-factors") is Outcome.UNKNOWN
    assert of(ask(serve.format("5901 --bind 127.0.0.1")), "remote-doors-two-factors") is None


def test_a_network_of_ones_own_lets_in_whom_it_likes_and_logs_nobody_in() -> None:
    told = ask(TWO_OVER_SSH + GETTY.replace("agetty", "tailscaled"))
    assert of(told, "remote-doors-two-factors") is Outcome.UNKNOWN
    assert of(told, "admin-doors-two-factors") is Outcome.PASS


# ---------------------------------------------------------------- VPNs


KEYS = """
cd /run/w; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=CANARY -days 2 -keyout key -out cert 2>/dev/null
mkdir -p /run/w/server; cat > /run/w/server/net.conf <<'E'
# CANARY
dev tun
server 10.99.0.0 255.255.255.0
ca /run/w/cert
cert /run/w/cert
key /run/w/key
dh none
management /run/w/CANARY unix
"""
START = """E
openvpn --cd /run/w/server --config net.conf --daemon ovpn
sleep 1; [ -n "$(cat /proc/[0-9]*/comm | grep openvpn)" ]
"""
PAM = "plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so 'openvpn login USERNAME password PASSWORD pin OTP CANARY literal'\n"


@pytest.mark.parametrize(
    ("settings", "service", "expected"),
    [
        ("", "", Outcome.FAIL),
        (PAM, "@include common-auth", Outcome.PASS),
        ("verify-client-cert none\n" + PAM, "@include common-auth", Outcome.FAIL),
        ("verify-client-cert none\n" + PAM, f"@include common-auth\n{CODE}", Outcome.PASS),
        (PAM + "auth-user-pass-optional\n", "@include common-auth", Outcome.FAIL),
        ("auth-user-pass-verify /bin/true via-file\nscript-security 2\n", "", Outcome.UNKNOWN),
    ],
    ids=["certificate", "certificate and PAM", "PAM", "PAM and code", "optional", "script"],
)
def test_openvpn(settings: str, service: str, expected: Outcome) -> None:
    told = ask(f"cat > /etc/pam.d/openvpn <<'E'\n{service}\nE\n" + KEYS + settings + START)
    assert {e["door"] for e in told.facts["remote_doors"]} == {"OpenVPN /run/w/server/net.conf"}
    assert of(told, "remote-doors-two-factors") is expected


def test_without_a_remote_door_the_control_concerns_nobody() -> None:
    assert of(ask(), "remote-doors-two-factors") is None


FILES = r"""
mount -t tmpfs none /sys/class/net; mkdir /sys/class/net/wg0 /sys/class/net/eth0
echo DEVTYPE=wireguard > /sys/class/net/wg0/uevent; echo INTERFACE=eth0 > /sys/class/net/eth0/uevent
mkdir /run/w/etc; cp -a /etc/. /run/w/etc/; mount --bind /run/w/etc /etc
mkdir -p /etc/wireguard /etc/swanctl/conf.d /etc/ocserv
cat > /etc/wireguard/wg0.conf <<'E'
[Interface]
PrivateKey = CANARY
[Peer]
PublicKey = CANARY
PresharedKey = CANARY
[Peer]
PublicKey = CANARY
Endpoint = 198.51.100.1:51820
E
cat > /etc/ipsec.conf <<'E'
config setup
	charondebug="CANARY"
conn %default
	auto=add
conn road # CANARY
	right=%any
	rightauth = pubkey
	rightauth2="eap-radius"
	eap_identity=CANARY
E
cat > /etc/swanctl/swanctl.conf <<'E'
connections {
  rw {
    remote_addrs = %any
    local { auth = pubkey
      certs = CANARY }
    remote-1 { auth = pubkey }
    remote-2 {
      auth = eap-mschapv2 # CANARY
      eap_id = CANARY
    }
    children { net { local_ts = 10.0.0.0/8 } }
  }
}
secrets { eap-bob { id = bob
  secret = CANARY } }
include conf.d/*.conf
E
cat > /etc/ocserv/ocserv.conf <<'E'
auth = "certificate"
auth = "plain[passwd=/etc/ocserv/CANARY,otp=/etc/ocserv/otp]"
enable-auth = "radius[config=/etc/CANARY]"
#auth = "pam"
E
"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_files_of_vpn_servers_are_read_without_their_secrets(shell: str) -> None:
    """The files as their manuals show them, under each shell and under busybox's own awk."""
    behind = f'mount --bind "$(command -v {shell})" "$(readlink -f /bin/sh)"\n'
    if shell == "busybox":
        behind += 'mount --bind "$(command -v busybox)" "$(readlink -f "$(command -v awk)")"\n'
    told = ask(FILES + behind)
    assert told.answers["vpn"].text.splitlines() == [  # type: ignore[union-attr]
        "wireguard\twg0\t2\t1",
        "ipsec",
        "conn\t%default",
        "set\tauto\tadd",
        "conn\troad",
        "set\tright\t%any",
        "set\trightauth\tpubkey",
        "set\trightauth2\teap-radius",
        "swanctl",
        "swan\trw\t\t",
        "swan\trw\t@\t%any",
        "swan\trw\tremote-1\t",
        "swan\trw\tremote-1\tpubkey",
        "swan\trw\tremote-2\t",
        "swan\trw\tremote-2\teap-mschapv2",
        "ocserv",
        "auth\tauth\tcertificate\t",
        "auth\tauth\tplain\tpasswd otp",
        "auth\tenable-auth\tradius\t",
        "end",
    ]
    assert [(e["door"], e["two_factors"]) for e in told.facts["remote_doors"]] == [("WireGuard wg0", False)]


# ---------------------------------------------------------------- SSH from outside


def over_ssh(more: str, control: str = "ssh-outside-two-factors") -> Outcome | None:
    told = namespaces.ask(ssh_logins.PROBE, "ssh_logins", HOST + more, {"sources": ["10.62.10.1"]}, alone=True)
    assert "CANARY" not in told.raw
    return judged(ssh_logins.PROBE, "identity", control, told.facts)


def test_administrators_over_ssh() -> None:
    assert over_ssh("", "ssh-admin-two-factors") is Outcome.FAIL
    assert over_ssh(TWO_OVER_SSH, "ssh-admin-two-factors") is Outcome.PASS


def test_root_over_ssh() -> None:
    assert over_ssh("", "ssh-root-login-off") is Outcome.PASS
    first = "echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/05.conf\n"
    assert over_ssh(first, "ssh-root-login-off") is Outcome.FAIL
    listed = first + "echo 'AllowUsers *@10.62.0.0/16,172.16.0.0/12' > /etc/ssh/sshd_config.d/06.conf\n"
    assert over_ssh(listed, "ssh-root-login-off") is Outcome.FAIL


def test_ssh_from_outside() -> None:
    keys = "mkdir -p /run/w/carol/.ssh; echo 'ssh-ed25519 AAAA CANARY' > /run/w/carol/.ssh/authorized_keys\n"
    assert over_ssh(keys) is Outcome.FAIL
    assert over_ssh(keys + TWO_OVER_SSH) is Outcome.PASS
    assert over_ssh(keys + "echo 'AllowUsers *@10.62.10.1' >> /etc/ssh/sshd_config.d/10.conf\n") is Outcome.PASS
    machine = "Match User carol Address {}\\n  AuthenticationMethods publickey\\nMatch all\\n"
    for address, expected in (("10.62.10.0/24", Outcome.PASS), ("*", Outcome.FAIL)):
        narrow = f"printf '{machine.format(address)}' > /etc/ssh/sshd_config.d/20.conf\n"
        assert over_ssh(keys + TWO_OVER_SSH + narrow) is expected, address
    bound = keys.replace("'ssh-", '\'restrict,from="192.0.2.10" ssh-')
    anywhere = f"printf '{machine.format('*')}' > /etc/ssh/sshd_config.d/20.conf\n"
    assert over_ssh(bound + TWO_OVER_SSH + anywhere) is Outcome.PASS
