"""A real sssd that a real slapd answers, D-Bus and realmd between them, asked in three shells and judged."""

from __future__ import annotations

from typing import Any

import pytest
from beside import AS_NOBODY, MACHINE, need_beside
from namespaces import Told, ask, in_each_shell, judged

from auditor.model import Outcome, Unknown
from auditor.probes.directory import PROBE

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

ANSWERS = "identities-from-a-directory-that-answers"
CACHE = "directory-cache-expires-in-time"
SECRET = "CANARY-8"

SLAPD = f"""
mkdir /mnt/ldap
cat > /mnt/slapd.conf <<'END'
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /mnt/slapd.pid
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw {SECRET}
directory /mnt/ldap
END
slapadd -f /mnt/slapd.conf <<'END'
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: uid=alice,dc=example,dc=org
objectClass: account
objectClass: posixAccount
cn: alice
uid: alice
uidNumber: 5000
gidNumber: 5000
homeDirectory: /home/alice
END
slapd -f /mnt/slapd.conf -h ldap://127.0.0.1
sed -i 's/^\\(passwd\\|group\\):.*/\\1: files sss/' /etc/nsswitch.conf
echo 'sudoers: files sss' >> /etc/nsswitch.conf
printf 'auth sufficient pam_unix.so\\nauth required pam_sss.so use_first_pass\\n' > /etc/pam.d/common-auth
printf '@include common-auth\\n' > /etc/pam.d/sshd
"""
BUS = """
grep -q ^messagebus: /etc/passwd || echo 'messagebus:x:998:65534::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
dbus-daemon --system --fork --nopidfile
"""
SSSD = f"""
cat > /etc/sssd/sssd.conf <<'END'
[sssd]
services = nss, pam%(services)s
domains = example.org

[pam]
%(pam)s

[domain/example.org]
id_provider = ldap
%(domain)s
ldap_uri = ldap://127.0.0.1
ldap_search_base = dc=example,dc=org
ldap_default_bind_dn = cn=admin,dc=example,dc=org
ldap_default_authtok = {SECRET}
access_provider = simple
simple_allow_users = alice
simple_allow_groups = agents, Domain Admins
END
chmod 600 /etc/sssd/sssd.conf
touch -d '1 minute ago' /etc/sssd/sssd.conf
"""
START = """
sssd -D
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  getent passwd alice >/dev/null && break
  sleep 0.3
done
getent passwd alice
"""
STOP_SLAPD = """
kill "$(cat /mnt/slapd.pid)"
while [ -e /mnt/slapd.pid ]; do sleep 0.1; done
sss_cache -E
getent passwd bob || :
"""


def conf(pam: str = "", domain: str = "", services: str = ", ifp") -> str:
    return SSSD % {"pam": pam, "domain": domain, "services": services}


def told(setup: str, shell: str | None = None, **how: Any) -> Told:
    return ask(PROBE, "directory", MACHINE + setup, alone=True, shell=shell, **how)


def outcome(got: Told, control: str) -> Outcome | None:
    return judged(PROBE, "identity", control, got.facts)


@in_each_shell()
def test_a_host_that_sssd_joins_to_a_directory_that_answers(shell: str) -> None:
    need_beside("usr/sbin/sssd")
    got = told(SLAPD + BUS + conf(domain="cache_credentials = False") + START, shell)
    assert got.facts == {
        "joined": True,
        "directories": [
            {
                "directory": "example.org",
                "client": "sssd",
                "provider": "ldap",
                "identities": True,
                "logins": True,
                "active": True,
                "online": True,
                "access": "listed",
                "allowed": ["alice", "%agents", "%Domain Admins"],
                "caches_logins": False,
                "cached_login_hours": None,
            }
        ],
        "passwd_sources": ["files", "sss"],
        "group_sources": ["files", "sss"],
        "sudoers_sources": ["files", "sss"],
        "keytab": None,
    }
    assert SECRET not in got.raw
    assert outcome(got, ANSWERS) is Outcome.PASS
    assert outcome(got, CACHE) is Outcome.PASS


def test_a_directory_that_is_away() -> None:
    need_beside("usr/sbin/sssd")
    got = told(SLAPD + BUS + conf(domain="cache_credentials = true") + START + STOP_SLAPD)
    assert got.facts["directories"][0]["active"] is True
    assert got.facts["directories"][0]["online"] is False
    assert outcome(got, ANSWERS) is Outcome.FAIL


@pytest.mark.parametrize(
    ("pam", "more", "wanted"),
    [
        ("", "", Outcome.FAIL),
        ("offline_credentials_expiration = 0", "", Outcome.FAIL),
        ("offline_credentials_expiration = 1", "", Outcome.PASS),
        ("offline_credentials_expiration = 7", "", Outcome.WARN),
        ("offline_credentials_expiration = 8", "", Outcome.FAIL),
        ("offline_credentials_expiration = 1", "cached_auth_timeout = 172800", Outcome.WARN),
    ],
)
def test_how_long_a_cached_login_is_taken(pam: str, more: str, wanted: Outcome) -> None:
    """The real sssd starts with each of these settings; it keeps the hash for as long."""
    need_beside("usr/sbin/sssd")
    got = told(SLAPD + BUS + conf(pam, f"cache_credentials = TRUE\n{more}") + START)
    assert got.facts["directories"][0]["online"] is True
    assert outcome(got, CACHE) is wanted


def test_the_last_drop_in_wins_and_one_that_others_may_read_leaves_it_open() -> None:
    """As the real sssd says: it leaves out the one, takes names without regard to case, and hides dot files."""
    need_beside("usr/sbin/sssd")
    drop_ins = r"""
cd /etc/sssd/conf.d
printf '[domain/EXAMPLE.org]\nCache_Credentials = True\n' > 20-on.conf
printf '[domain/example.org]\ncache_credentials = False\n' | tee .30-hidden.conf > 30-off.txt
chmod 600 20-on.conf .30-hidden.conf 30-off.txt
touch -d '1 minute ago' *
cd /
"""
    base = SLAPD + BUS + conf(domain="cache_credentials = False") + drop_ins
    assert told(base + START).facts["directories"][0]["caches_logins"] is True
    readable = r"printf '[domain/example.org]\ncache_credentials = False\n' > /etc/sssd/conf.d/40-off.conf" + "\n"
    got = told(base + readable + START, after="sssctl config-check || :")
    assert "40-off.conf did not pass access check" in got.after
    assert isinstance(got.facts["directories"][0]["caches_logins"], Unknown)
    assert outcome(got, CACHE) is Outcome.UNKNOWN


def test_a_configuration_that_sssd_has_not_read_yet_is_not_asked_about() -> None:
    need_beside("usr/sbin/sssd")
    edit = "sleep 1.1; sed -i 's/agents, //' /etc/sssd/sssd.conf"
    got = told(SLAPD + BUS + conf() + START + edit, after="grep -ac agents /var/lib/sss/db/config.ldb")
    assert isinstance(got.facts["directories"][0]["online"], Unknown)
    assert int(got.after) > 0, "sssctl was asked, and loaded the new configuration"
    assert outcome(got, ANSWERS) is Outcome.UNKNOWN


def test_without_a_bus_sssctl_does_not_tell() -> None:
    need_beside("usr/sbin/sssd")
    got = told(SLAPD + conf(services="") + START)
    online = got.facts["directories"][0]["online"]
    assert online == Unknown("not_told", "failed Unable to connect to system bus!")
    assert outcome(got, ANSWERS) is Outcome.UNKNOWN


def test_sssd_that_does_not_run_answers_nobody_and_nothing_is_made() -> None:
    need_beside("usr/sbin/sssd")
    got = told(SLAPD + BUS + conf(), after="ls /var/lib/sss/db")
    assert [got.facts["directories"][0][f] for f in ("active", "online")] == [False, False]
    assert got.after == ""
    assert outcome(got, ANSWERS) is Outcome.FAIL


def test_identities_without_passwords_are_half_of_it() -> None:
    need_beside("usr/sbin/sssd")
    own = "printf 'auth required pam_unix.so\\n' > /etc/pam.d/common-auth\n"
    got = told(SLAPD + own + BUS + conf() + START)
    assert outcome(got, ANSWERS) is Outcome.WARN


def test_without_privilege_it_is_not_known_whatever_realmd_does_not_list() -> None:
    """The real realmd, over a real bus, lists nothing and ends well, and sssd serves a directory."""
    need_beside("usr/sbin/realm")
    got = told(SLAPD + BUS + conf() + START + AS_NOBODY)
    assert got.answers["realm"].text == "\nend\n"
    assert isinstance(got.facts["joined"], Unknown)
    assert outcome(got, ANSWERS) is Outcome.UNKNOWN
    assert outcome(got, CACHE) is Outcome.UNKNOWN


@in_each_shell()
def test_a_host_without_a_directory(shell: str) -> None:
    need_beside("usr/sbin/sssd")
    got = told("rm -rf /etc/sssd /etc/samba; sed -i 's/ sss//' /etc/nsswitch.conf\n", shell)
    assert got.facts["joined"] is False
    assert got.facts["directories"] == []
    assert outcome(got, ANSWERS) is Outcome.FAIL
    assert outcome(got, CACHE) is None


def test_the_principals_of_a_keytab_and_none_of_its_keys() -> None:
    need_beside("usr/bin/ktutil")
    add = "addent -password -p host/here.example.org@EXAMPLE.ORG -k 2 -e aes256-cts-hmac-sha1-96"
    make = f"printf '{add}\\n{SECRET}\\nwkt /etc/krb5.keytab\\n' | ktutil >/dev/null\n"
    got = told(make)
    assert got.facts["keytab"] == ["host/here.example.org@EXAMPLE.ORG"]
    assert SECRET not in got.raw
