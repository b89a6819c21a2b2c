"""The inventory is read as Ansible reads it; what would change how we connect and is not read is refused."""

from __future__ import annotations

import ast
import json
import os
import tracemalloc
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import schema, write

from auditor.errors import Problem
from auditor.load import inventory
from auditor.load.inventory import groups_ini
from auditor.model import Host


def read(folder: Path, hosts: str, **files: str) -> tuple[dict[str, Host], list[str]]:
    write(folder, hosts=hosts, **files)
    problems: list[Problem] = []
    found = inventory.read([folder / "hosts.yaml"], schema("inventory"), problems).hosts
    return {h.id: h for h in found}, [str(p).removeprefix(f"{folder}/") for p in sorted(problems)]


def hosts_of(folder: Path, hosts: str, **files: str) -> dict[str, Host]:
    found, problems = read(folder, hosts, **files)
    assert problems == []
    return found


def problems_of(folder: Path, hosts: str, **files: str) -> list[str]:
    return read(folder, hosts, **files)[1]


# ---------------------------------------------------------------- names and ranges


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web01", ["web01"]),
        ("web[01:03]", ["web01", "web02", "web03"]),
        ("web[1:3].x", ["web1.x", "web2.x", "web3.x"]),
        ("web[08:10]", ["web08", "web09", "web10"]),
        ("web[1:5:2]", ["web1", "web3", "web5"]),
        ("db-[a:c]", ["db-a", "db-b", "db-c"]),
        ("r[1:2]n[1:2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
    ],
)
def test_ranges_are_expanded(tmp_path: Path, pattern: str, names: list[str]) -> None:
    """Numbers, padding, steps, letters, and several ranges."""
    assert list(hosts_of(tmp_path, f"all: {{hosts: {{'{pattern}': }}}}")) == names


@pytest.mark.parametrize(
    "pattern",
    [
        "web[3:1]",
        "web[a:3]",
        "web[1-3]",
        "web[]",
        "web[1:2",
        "web[1:3:0]",
        "web[1:999999]",
        f"web[1:{'9' * 5000}]",
        "x" * 300,
    ],
)
def test_what_is_no_range_is_refused(tmp_path: Path, pattern: str) -> None:
    """Backwards, mixed, unclosed, too many, too long: a problem at its place."""
    (problem,) = [p for p in problems_of(tmp_path, f'all: {{hosts: {{ok: , ? "{pattern}" : }}}}')]
    assert problem.startswith("hosts.yaml:1:")


def test_half_the_brackets_of_a_group_are_said_to_be_that(tmp_path: Path) -> None:
    (problem,) = [p for p in problems_of(tmp_path, 'all: {hosts: {ok: , ? "[web" : }}')]
    assert problem.endswith("'[web' is no range; write web[01:20], or [NAME] for a group")


def test_a_multiplied_range_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Ten thousand million hosts are refused after the first hundred thousand."""
    problems = problems_of(tmp_path, "all: {hosts: {'a[1:99999]b[1:99999]': }}")
    assert problems == ["hosts.yaml:1:15: more than 100000 hosts"]


@pytest.mark.parametrize("text", ["", "~", "# nothing\n"])
def test_an_empty_inventory_is_an_error(tmp_path: Path, text: str) -> None:
    """Nothing to audit is never a success."""
    assert problems_of(tmp_path, text) == ["hosts.yaml: the inventory is empty"]


@pytest.mark.parametrize(
    "text", ["{}", "[]", "web01", "all: [web01]", "all: {hosts: [web01]}", "all: {host: {web01: }}"]
)
def test_an_inventory_of_another_shape_is_an_error(tmp_path: Path, text: str) -> None:
    """A list of hosts, a word, a misspelt key."""
    assert problems_of(tmp_path, text)


def test_an_inventory_without_a_host_is_an_error(tmp_path: Path) -> None:
    """Groups alone are nothing to audit."""
    assert problems_of(tmp_path, "all: {children: {web: }}") == ["hosts.yaml: the inventory names no host"]


# ---------------------------------------------------------------- groups


def test_groups_in_a_circle_are_refused(tmp_path: Path) -> None:
    """A group inside itself is said with the whole circle."""
    text = "a: {children: {b: }, hosts: {x: }}\nb: {children: {c: }}\nc: {children: {a: }}\n"
    assert problems_of(tmp_path, text) == ["hosts.yaml: the groups go in a circle: a > b > c > a"]
    assert problems_of(tmp_path, "a: {children: {a: }, hosts: {x: }}") == [
        "hosts.yaml: the groups go in a circle: a > a"
    ]


@pytest.mark.parametrize("downwards", [True, False])
def test_a_chain_of_5000_groups_is_read(tmp_path: Path, downwards: bool) -> None:
    """However deep groups are inside each other, the deepest wins and nothing recurses."""
    lines = [f"g{n}: {{vars: {{ansible_port: {n}}}, children: {{g{n + 1}: }}}}" for n in range(1, 5000)]
    lines.append("g5000: {vars: {ansible_port: 5000}, hosts: {x: }}")
    host = hosts_of(tmp_path, "\n".join(lines if downwards else reversed(lines)))["x"]
    assert host.port == 5000
    assert host.groups == tuple(f"g{n}" for n in range(1, 5001))


def test_groups_come_in_the_order_that_they_merge(tmp_path: Path) -> None:
    """Parents before children, then by name, whatever the order of the file."""
    text = "z: {hosts: {x: }}\nb: {hosts: {x: }}\na: {children: {b: }}\n"
    assert hosts_of(tmp_path, text)["x"].groups == ("a", "z", "b")


# ---------------------------------------------------------------- precedence, as Ansible documents it


def test_a_child_wins_over_its_parent_and_all(tmp_path: Path) -> None:
    """all, then parents, then children, then the host."""
    text = """
all: {vars: {ansible_port: 1, ansible_user: all, ansible_host: all}}
site: {vars: {ansible_port: 2, ansible_user: site}, children: {web: }}
web: {vars: {ansible_port: 3}, hosts: {x: }}
"""
    host = hosts_of(tmp_path, text)["x"]
    assert (host.port, host.user, host.address) == (3, "site", "all")


def test_among_equals_the_last_name_wins_unless_a_priority_says_otherwise(tmp_path: Path) -> None:
    """Groups of one depth merge by name; `ansible_group_priority` comes first."""
    text = "a: {vars: {ansible_user: a%s}, hosts: {x: }}\nb: {vars: {ansible_user: b}, hosts: {x: }}\n"
    assert hosts_of(tmp_path, text % "")["x"].user == "b"
    assert hosts_of(tmp_path, text % ", ansible_group_priority: 10")["x"].user == "a"


def test_depth_is_the_longest_way_down(tmp_path: Path) -> None:
    """A group that is a child twice stands below both of its parents."""
    text = """
top: {children: {mid: , low: }}
mid: {vars: {ansible_user: mid}, children: {low: }}
low: {vars: {ansible_user: low}, hosts: {x: }}
aside: {vars: {ansible_port: 5}, hosts: {x: }}
"""
    assert hosts_of(tmp_path, text)["x"].user == "low"


def test_group_vars_win_over_what_the_file_says_of_any_group(tmp_path: Path) -> None:
    """Even group_vars/all wins over a child group's line of the inventory; the host's own line wins over both."""
    text = "web: {vars: {ansible_user: line, ansible_port: 1}, hosts: {x: , y: {ansible_user: own}}}"
    found = hosts_of(tmp_path, text, group_vars__all="ansible_user: everywhere\n", group_vars__web="ansible_port: 2\n")
    assert (found["x"].user, found["x"].port, found["y"].user) == ("everywhere", 2, "own")


def test_host_vars_win_over_all_else(tmp_path: Path) -> None:
    """The file of a host has the last word."""
    text = "all: {hosts: {x: {ansible_user: line}}}"
    found = hosts_of(tmp_path, text, group_vars__all="ansible_user: all\n", host_vars__x="ansible_user: own\n")
    assert found["x"].user == "own"


def test_only_the_first_file_of_variables_is_read(tmp_path: Path) -> None:
    """Of NAME, NAME.yml, NAME.yaml and NAME.json Ansible takes the first; a folder with its files in order."""
    files = {"host_vars__x/a.yml": "ansible_user: a\nansible_port: 5\n", "host_vars__x/b.json": '{"ansible_user": "b"}'}
    ignored = {"host_vars__x.yml": "ansible_user: no\n", "host_vars__x/.c.yml": "ansible_user: no\n"}
    found = hosts_of(
        tmp_path, "all: {hosts: {x: , y: }}", **files, **ignored, **{"host_vars__y.json": '{"ansible_port": 7}'}
    )
    assert (found["x"].user, found["x"].port, found["y"].port) == ("b", 5, 7)


# ---------------------------------------------------------------- how to connect


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ("ansible_ssh_common_args: -F other", "ansible_ssh_common_args: '-F' changes how to connect"),
        ("ansible_ssh_common_args: -o ProxyCommand=nc", "write -o ProxyJump=USER@BASTION"),
        ("ansible_ssh_extra_args: -o StrictHostKeyChecking=no", "host keys are always checked"),
        ("ansible_ssh_common_args: -o UserKnownHostsFile=/dev/null", "without known keys"),
        ("ansible_ssh_args: -J 'a b'", "write USER@HOST:PORT"),
        ("ansible_ssh_args: -J '", "cannot be split"),
        ("ansible_host_key_checking: no", "host keys are always checked"),
        ("ansible_ssh_executable: /opt/ssh", "changes how to connect"),
        ("ansible_password: x", "name one instead, auditor_password: env:NAME"),
        ("ansible_ssh_pass: !vault x", "name one instead, auditor_password: env:NAME"),
        ("ansible_winrm_password: '{{ x }}'", "name one instead, auditor_password: env:NAME"),
        ("ansible_ssh_private_key_passphrase: x", "name one instead, auditor_key_passphrase: env:NAME"),
        ("ansible_user_known_hosts_file: /dev/null", "changes how to connect"),
        ("ansible_os_proxy: x", "changes how to connect"),
        ("ansible_default_port: 23", "changes how to connect"),
        ("ansible_all_jump: x", "changes how to connect"),
        ("ansible_system_user: x", "changes how to connect"),
        ("ansible_tunnel: x", "changes how to connect"),
        ("ansible_become_exe: /usr/bin/doas", "only sudo is read"),
        ("auditor_password: cmd:pass show audit", "cmd: is followed by"),
        ("auditor_password: env:FOO BAR", "env: is followed by the name of a variable"),
        ("auditor_password: env:{{ x }}", "names a secret and never holds one: write"),
        ("auditor_password: 12", "names a secret and never holds one: write"),
        ("auditor_key_passphrase: keyring:x", "keyring: is followed by SERVICE/USER"),
        ("auditor_password: hunter2", "names a secret and never holds one"),
        ("auditor_pasword: env:X", "there is no variable auditor_pasword; did you mean 'auditor_password'?"),
        ("auditor_platform: linus", "there is no platform 'linus'; did you mean 'linux'?"),
        ("ansible_hots: 1.2.3.4", "changes how to connect"),
        ("ansible_host: '{{ inventory_hostname }}.x'", "is a template"),
        ("ansible_host: '{% if x %}y{% endif %}'", "is a template"),
        ("ansible_user: !vault x", "is encrypted with ansible-vault"),
        ("ansible_user: [a]", "must be text"),
        ("ansible_user: true", "must be text"),
        ("ansible_port: 0", "'0' is no port"),
        ("ansible_port: 65536", "is no port"),
        ("ansible_port: true", "is no port"),
        ("ansible_port: ²²", "is no port"),
        (f"ansible_port: {'1' * 5000}", "is no port"),
        ("ansible_port: -22", "is no port"),
        ('ansible_ssh_args: "-o UserKnownHostsFile=a\\0b"', "holds a NUL character"),
        ("ansible_connection: shh", "the connection 'shh' is not read; did you mean 'ssh'?"),
        ("ansible_connection: docker", "is not read"),
        ("ansible_become_user: deploy", "only root is read"),
        ("ansible_become_method: su", "only sudo is read"),
        ("ansible_become: maybe", "neither true nor false"),
    ],
)
def test_what_we_cannot_follow_is_refused_with_its_place(tmp_path: Path, variables: str, words: str) -> None:
    """A variable that would make us connect to another place, or in another way, is never ignored."""
    (problem,) = problems_of(tmp_path, "all: {hosts: {x: }}", host_vars__x=f"# its own\n{variables}\n")
    assert problem.startswith("host_vars/x.yaml:2:1: ")
    assert words in problem


def test_templates_and_vaults_elsewhere_are_no_matter(tmp_path: Path) -> None:
    """Only what we need must be in clear."""
    text = "all: {vars: {secret: !vault x, motd: '{{ x }}', ansible_become_password: '{{ vault }}'}, hosts: {x: }}"
    assert hosts_of(tmp_path, text)["x"].address == "x"


def test_connection_variables_are_read(tmp_path: Path) -> None:
    """Address, port, user, key and elevation, under their old names too."""
    text = """
all:
  hosts:
    a: {ansible_host: 192.0.2.1, ansible_port: 2222, ansible_user: u, ansible_ssh_private_key_file: keys/id, ansible_become: no}
    b: {ansible_ssh_host: 192.0.2.2, ansible_ssh_port: "23", ansible_ssh_user: v, ansible_private_key_file: ~/.ssh/id}
    c: {ansible_connection: local, ansible_user: !unsafe '{{x}}'}
    d: {ansible_connection: winrm}
"""
    found = hosts_of(tmp_path, text)
    assert (found["a"].address, found["a"].port, found["a"].user, found["a"].become) == ("192.0.2.1", 2222, "u", False)
    assert found["a"].key_file == f"{tmp_path}/keys/id"
    assert (found["b"].address, found["b"].port, found["b"].user) == ("192.0.2.2", 23, "v")
    assert found["b"].key_file == f"{os.environ['HOME']}/.ssh/id"
    assert (found["c"].connection, found["c"].user) == ("local", "{{x}}")
    assert (found["d"].connection, found["d"].platform) == ("winrm", "windows")


def test_the_errors_of_all_files_of_variables_come_at_once(tmp_path: Path) -> None:
    """One bad file of variables does not hide another."""
    problems = problems_of(
        tmp_path,
        "all: {hosts: {x: , y: {ansible_port: z}}}",
        host_vars__x="a: [",
        group_vars__all="- list",
        host_vars__y="b: ]",
    )
    assert [p.partition(":")[0] for p in problems] == [
        "group_vars/all.yaml",
        "host_vars/x.yaml",
        "host_vars/y.yaml",
        "hosts.yaml",
    ]


@pytest.mark.root
def test_variables_that_we_may_not_read_are_an_error(tmp_path: Path) -> None:
    """A closed folder of variables is no absence of variables."""
    write(tmp_path, hosts="all: {hosts: {x: }}", **{"host_vars__x/a.yml": "ansible_host: elsewhere\n"})
    (tmp_path / "host_vars" / "x").chmod(0)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        os.chmod(folder, folder.stat().st_mode | 0o055)
    problems: list[Problem] = []
    wanted = schema("inventory")
    os.seteuid(65534)
    try:
        inventory.read([tmp_path / "hosts.yaml"], wanted, problems)
    finally:
        os.seteuid(0)
    assert [p.message for p in problems] == ["cannot be read: Permission denied"]


def test_ten_thousand_hosts_are_light(tmp_path: Path) -> None:
    """A fleet is loaded within seconds and 200 MB."""
    groups = "\n".join(f"g{n}: {{hosts: {{'h{n}-[1:100]': }}, vars: {{ansible_port: {n + 1}}}}}" for n in range(100))
    write(tmp_path, hosts=groups)
    tracemalloc.start()
    try:
        found = inventory.read([tmp_path / "hosts.yaml"], schema("inventory"), []).hosts
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == 10_000
    assert found[-1].port == 100
    assert peak < 200 * 2**20


def test_a_file_that_is_no_inventory_has_its_place(tmp_path: Path) -> None:
    """What YAML does not read is InvalidInput, with line and column."""
    (problem,) = problems_of(tmp_path, "all: {hosts: {x: ]}")
    assert problem.startswith("hosts.yaml:1:")


# ---------------------------------------------------------------- secrets, bastions, Windows


def test_a_named_secret_replaces_the_one_that_ansible_has(tmp_path: Path) -> None:
    """Whatever stands in ansible_password is passed over then; references are carried, never values."""
    text = """
all:
  vars: {ansible_password: !vault x, ansible_ssh_private_key_passphrase: '{{ y }}', auditor_password: env:PW}
  hosts: {a: {auditor_key_passphrase: 'file:~/pass'}, b: }
"""
    found = {
        h.id: h
        for h in read_text(tmp_path, text.replace("'{{ y }}', ", "'{{ y }}', auditor_key_passphrase: systemd:k, "))
    }
    assert (found["a"].password, found["a"].passphrase) == ("env:PW", "file:~/pass")
    assert (found["b"].password, found["b"].passphrase) == ("env:PW", "systemd:k")


def test_variables_that_change_nothing_are_passed_over(tmp_path: Path) -> None:
    """Ansible's own, and the facts that `ansible-inventory` prints of a cache."""
    names = (
        "managed persistent_connect_timeout persistent_command_timeout python_interpreter os_family user_id system_vendor"
        " default_ipv4 all_ipv4_addresses distribution_major_version processor_vcpus eth0 enp0s31f6 br-lan docker0 memtotal_mb"
        " ssh_host_key_ed25519_public virtualization_tech_guest check_mode play_hosts become_flags"
    )
    said = ", ".join(f"ansible_{name}: x" for name in names.split())
    assert "x" in hosts_of(tmp_path, f"all: {{hosts: {{x: {{{said}, ansible_become_exe: /usr/bin/sudo}}}}}}")


@pytest.mark.parametrize("text", ["*canary", "!canary x", "[*canary]", "&a canary-1\n    b: *canary"])
def test_a_password_without_its_quotes_is_not_shown(tmp_path: Path, text: str) -> None:
    """YAML takes it for an alias or a tag, INI for two words."""
    problems = problems_of(tmp_path, f"all:\n  vars:\n    ansible_password: {text}\n  hosts: {{x: }}\n")
    assert problems != []
    assert "canary" not in " ".join(problems)
    (tmp_path / "hosts.ini").write_text("x ansible_password=my canary-2\n")
    (problem,) = problems_in(tmp_path / "hosts.ini")
    assert (
        problem
        == "hosts.ini:1:1: what stands after ansible_password= is split by a blank: write such a value in quotes"
    )


def test_a_home_that_nobody_has_is_no_end_of_the_run(tmp_path: Path) -> None:
    """The path stays as it was written, and is not there."""
    text = "all: {hosts: {a: {ansible_ssh_private_key_file: ~nobody-here/id, ansible_ssh_args: -o UserKnownHostsFile=~nobody-here/known}}}"
    found = read_text(tmp_path, text)[0]
    assert "~nobody-here/id" in found.key_file
    assert "~nobody-here/known" in found.known_hosts


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Not even in the error about it."""
    for variables in ("ansible_password: canary-1", "auditor_password: canary-1", "ansible_ssh_pass: canary-1"):
        assert "canary" not in " ".join(problems_of(tmp_path, f"all: {{hosts: {{x: {{{variables}}}}}}}"))


def test_jump_hosts_and_known_hosts_are_read_from_the_arguments_of_ssh(tmp_path: Path) -> None:
    """-J, -o ProxyJump=, -o UserKnownHostsFile= (beside the file that says it); what changes nothing is passed over."""
    text = """
all:
  vars: {ansible_ssh_common_args: '-C -o ControlMaster=auto -o StrictHostKeyChecking=yes -o "ProxyJump admin@bastion:2222,second"'}
  hosts:
    a: {ansible_ssh_extra_args: -o UserKnownHostsFile=keys/known}
    b: {ansible_ssh_common_args: -Jother}
    c: {ansible_ssh_common_args: ''}
"""
    found = hosts_of(tmp_path, text, host_vars__c="ansible_ssh_extra_args: -oUserKnownHostsFile=k\n")
    assert (found["a"].proxy_jump, found["a"].known_hosts) == ("admin@bastion:2222,second", f"{tmp_path}/keys/known")
    assert (found["b"].proxy_jump, found["c"].proxy_jump, found["c"].known_hosts) == ("other", "", f"{tmp_path}/k")


def test_other_arguments_of_ssh_are_followed_or_refused(tmp_path: Path) -> None:
    """None is dropped that changes the way in; the first that is given wins, as with ssh."""
    text = """
all:
  hosts:
    a: {ansible_ssh_args: '-C4 -o ConnectTimeout=7', ansible_ssh_extra_args: '-6 -o PreferredAuthentications=publickey -o ConnectTimeout=9'}
    b: {ansible_ssh_common_args: '-o ProxyJump=none -oPubkeyAuthentication=no'}
"""
    found = hosts_of(tmp_path, text)
    assert dict(found["a"].ssh_options) == {
        "addressfamily": "inet", "connecttimeout": "7", "preferredauthentications": "publickey",
    }  # fmt: skip
    assert (found["b"].proxy_jump, found["b"].ssh_options) == ("none", (("pubkeyauthentication", "no"),))
    for wrong in (
        "ConnectTimeout=soon",
        "PasswordAuthentication=perhaps",
        "AddressFamily=ipx",
        "PreferredAuthentications=",
    ):
        assert "cannot be" in " ".join(
            problems_of(tmp_path, f"all: {{hosts: {{x: {{ansible_ssh_args: -o {wrong}}}}}}}")
        )


def test_windows_and_devices_are_told_apart(tmp_path: Path) -> None:
    """winrm has its own port and variables; a device is counted though this release has no way in."""
    text = """
all:
  hosts:
    w: {ansible_connection: winrm, ansible_winrm_transport: kerberos, ansible_winrm_read_timeout_sec: 30, ansible_become_method: runas}
    v: {auditor_platform: windows}
    s: {ansible_connection: ansible.netcommon.network_cli, ansible_network_os: cisco.ios.ios}
    o: {ansible_connection: openssh}
"""
    found = hosts_of(tmp_path, text)
    assert (found["w"].port, found["w"].winrm) == (5986, {"transport": "kerberos", "read_timeout_sec": "30"})
    assert (found["v"].connection, found["v"].platform) == ("winrm", "windows")
    assert (found["s"].connection, found["s"].platform, found["o"].connection) == (
        "network_cli",
        "cisco_ios",
        "openssh",
    )


def test_what_winrm_needs_is_read_and_what_weakens_it_is_refused(tmp_path: Path) -> None:
    """With its line, before any connection; a path is the inventory's neighbour."""
    said = "ansible_connection: winrm, ansible_user: 'TOWN\\auditor', auditor_password: env:W"
    found = hosts_of(
        tmp_path / "good",
        f"""
all:
  hosts:
    a: {{{said}, ansible_winrm_ca_trust_path: ca.pem, ansible_winrm_server_cert_validation: validate}}
    b: {{{said}, ansible_winrm_scheme: http, ansible_winrm_message_encryption: always}}
    c: {{{said}, ansible_winrm_scheme: http, ansible_port: 80}}
""",
    )
    assert found["a"].winrm["ca_trust_path"] == f"{tmp_path}/good/ca.pem"
    assert [found[n].port for n in "abc"] == [5986, 5985, 80]
    wrong = {
        "server_cert_validation: ignore": "certificates are always verified; remove it, and give the authority",
        "transport: credssp": "CredSSP gives our password to the host that is asked",
        "transport: plaintext": "shows the password to whoever listens",
        "transport: ntml": "'ntml' is none of ntlm, kerberos, basic, certificate; did you mean 'ntlm'?",
        "message_encryption: never": "'never' is none of auto, always",
        "send_cbt: false": "NTLM is always bound to its TLS channel",
        "kerberos_delegation: true": "our ticket is not given to hosts",
        "proxy: 'http://proxy:3128'": "hosts are asked directly",
        "ca_trust_pth: x": "is not read by this release: remove it; did you mean 'ca_trust_path'?",
    }
    lines = "".join(f"    h{n}: {{ansible_connection: winrm, ansible_winrm_{v}}}\n" for n, v in enumerate(wrong))
    told = "\n".join(read(tmp_path / "bad", f"all:\n  hosts:\n{lines}")[1])
    for words in wrong.values():
        assert words in told


def read_text(folder: Path, text: str) -> tuple[Host, ...]:
    return tuple(hosts_of(folder, text).values())


# ---------------------------------------------------------------- other formats, and what is wrong in them


def problems_in(path: Path) -> list[str]:
    problems: list[Problem] = []
    inventory.read([path], schema("inventory"), problems)
    return [str(p).removeprefix(f"{path.parent}/") for p in problems]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("hosts.ini", b"[a:children]\nnothere\n[a]\nx\n", "hosts.ini:2:1: [a:children] includes the group 'nothere', which is not defined"),
        ("hosts.ini", b"x\n[b:vars]\nk=1\n", "hosts.ini:2:1: [b:vars] is about the group 'b', which is not defined"),
        ("hosts.ini", b"[a b]\nx\n", "hosts.ini:1:1: '[a b]' is no section"),
        ("hosts.ini", b"[a:hots]\nx\n", "hosts.ini:1:1: [a:hots] is of no known kind; did you mean 'hosts'?"),
        ("hosts.ini", b"x y\n", "hosts.ini:1:1: 'y': after the host's name stand key=value words"),
        ("hosts.ini", b"x k='\n", "hosts.ini:1:1: the line cannot be split"),
        ("hosts.ini", b"x\ny\0z\n", "hosts.ini:2:1: holds a NUL byte"),
        ("hosts.ini", b"ok\n\xff\n", "hosts.ini:2:1: not UTF-8 text"),
        ("hosts.ini", b"x ansible_port=70000\n", "hosts.ini:1:1: '70000' is no port"),
        ("hosts.ini", b"[a:children]\na\n[b]\nx\n", "the groups go in a circle: a > a"),
        ("hosts.ini", b"web[5:1]\n", "hosts.ini:1:1: the range in 'web[5:1]' is not from low to high"),
        ("hosts.ini", b"a\nweb[1:999999999]\n", "hosts.ini:2:1: the range in 'web[1:999999999]' is too large: more than 100000 hosts"),
        ("hosts.yaml", b"all:\n  hosts: {'web[1:9999999999].x': }\n", "hosts.yaml:2:11: the range in 'web[1:9999999999].x' is too large"),
        ("hosts.ini", b"web[08:100]\n", "both ends need as many digits"),
        ("hosts.json", b'{"_meta": {"hostvars": {}}, "g": {"hosts": ["x"]}', "hosts.json:1:50: not JSON"),
        ("hosts.json", b'{"g": {"hosts": ["x"]}}', "has no _meta.hostvars"),
        ("hosts.json", b'{"_meta": {"hostvars": {"x": [1]}}, "g": {"hosts": ["x"]}}', "_meta.hostvars of 'x' must be a mapping"),
        ("hosts.json", b'{"_meta": {"hostvars": {}}, "g": {"hosts": "x"}}', "must hold hosts (list)"),
        ("hosts.json", b'{"_meta": {"hostvars": {}}, "g": {"hosts": [1]}}', "a host of the group 'g' has no name"),
        ("hosts.json", b'{"_meta": {"hostvars": {}}, "g": {"hosts": ["x"]}, "g": {"hosts": ["y"]}}', "hosts.json: 'g' is given twice"),
        ("hosts.yaml", b"all: {vars: {ansible_group_priority: .inf}, hosts: {x: }}\n", "must be a whole number"),
        ("hosts.toml", b"[all.hosts]\nx = {}\n", "hosts.toml: is TOML, which is not read"),
        ("hosts.json", b"[" * 100_000, "not JSON that we read"),
        ("hosts.yaml", b"$ANSIBLE_VAULT;1.1;AES256\n3132\n", "is encrypted with ansible-vault"),
        ("hosts.yaml", b"all: {hosts: {x: }}\0", "hosts.yaml"),
        ("hosts.yaml", b"plugin: aws_ec2\n", "hosts.yaml:1:1: configures an inventory plugin"),
        ("hosts.csv", b"IP;Lieu\n10.0.0.1;Arras\n", "hosts.csv:1:1: no column holds the machines' names"),
        ("hosts.csv", b"Nom;IP;Nom\na;10.0.0.1;b\n", "two columns are named 'Nom'"),
        ("hosts.csv", b"Nom;IP\na;10.0.0.1;surplus\n", "hosts.csv:2:1: has 3 cells and the header 2"),
        ("hosts.csv", b"Nom;IP\n;10.0.0.1\n", "hosts.csv:2:1: the machine has no name"),
        ("hosts.csv", b"Nom;IP\na\0;10.0.0.1\n", "hosts.csv:2:1: holds a NUL byte"),
        ("hosts.csv", b'Nom;IP\n"a;10.0.0.1\n', "no CSV"),
        ("hosts.csv", b"", "the table is empty"),
        ("hosts.csv", b"Nom;IP\n", "the table names no machine"),
        ("hosts.csv", b"Nom;IP\nsrv01.a.fr;10.0.0.1\nSRV01.b.fr;10.0.0.2\n",
         "hosts.csv:3:1: another machine is named 'SRV01' on line 2: give each a name of its own"),
        ("hosts.csv", b"Nom;N serie\nsrv01;S1\nsrv01;S2\n", "hosts.csv:3:1: another machine is named 'srv01' on line 2"),
        ("hosts.csv", b"Nom;IP\nAll;10.0.0.1\n", "hosts.csv:2:1: 'All' is the name of a group of every inventory"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_other_formats_is_said(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    """With its line where the format has lines; never a traceback, never a host less."""
    (tmp_path / name).write_bytes(data)
    assert any(words in p for p in problems_in(tmp_path / name)), problems_in(tmp_path / name)


def test_rows_of_one_machine_are_one_host(tmp_path: Path) -> None:
    """An export may have a row for each disk."""
    (tmp_path / "hosts.csv").write_text("Nom;IP;N serie;Lieu\nsrv01.a.fr;10.0.0.1;S1;\nsrv01;10.0.0.1;;Arras\n")
    assert problems_in(tmp_path / "hosts.csv") == []


def test_machines_of_one_name_in_two_tables_are_said(tmp_path: Path) -> None:
    """One would take the place of the other; a later table may correct an address."""
    (tmp_path / "a.csv").write_text("Nom;IP\nsrv01.a.fr;10.0.0.1\nsrv02;10.0.0.3\n")
    (tmp_path / "b.csv").write_text("Nom;IP\nsrv01.b.fr;10.0.0.2\nsrv02;10.0.0.4\n")
    problem, *_ = problems_in(tmp_path)
    assert f"another machine is named 'srv01' on line 2 of {tmp_path / 'a.csv'}: give each" in problem


def test_a_machine_named_as_a_group_of_another_file_is_said(tmp_path: Path) -> None:
    """Its address would be that of every host of the group."""
    (tmp_path / "a.ini").write_text("[dmz]\nweb01\n")
    (tmp_path / "hosts.csv").write_text("Nom;IP\ndmz;10.0.0.1\n")
    name = f"{tmp_path.name}/hosts.csv"
    assert problems_in(tmp_path) == [f"{name}:2:1: a group is named 'dmz': give the machine another name"]


# ---------------------------------------------------------------- folders


def names_in(folder: Path) -> list[str]:
    problems: list[Problem] = []
    found = inventory.read([folder], schema("inventory"), problems)
    assert problems == []
    return [h.id for h in found.hosts]


def test_every_file_of_a_folder_is_read(tmp_path: Path) -> None:
    """As Ansible does; beside hosts, in a linked folder, and whatever the case of its name."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.ini").write_text("far01\n")
    town = tmp_path / "town"
    (town / "sub" / "records").mkdir(parents=True)
    (town / "records").mkdir()
    (town / "sub" / "records" / "hosts").write_text("deep01\n")
    (town / "records" / "admins.yaml").write_text("register: admins\n")
    (town / "estate.yaml").write_text("entities: []\n")
    (town / "notes.md").write_text("# no inventory\n")
    (town / "far").symlink_to(tmp_path / "shared")
    (town / "hosts").write_text("web01\n")
    (town / "10-dmz.yml").write_text("all: {hosts: {dmz01: }}\n")
    (town / "HOSTS.CSV").write_text("Nom;IP\ncsv01;10.0.0.1\n")
    assert sorted(names_in(town)) == ["csv01", "deep01", "dmz01", "far01", "web01"]


def test_what_was_imported_stands_beside_what_people_wrote(tmp_path: Path) -> None:
    """Only the tables that it was made of, or that are not imported yet, are passed over; by name."""
    (tmp_path / "00-imported.yaml").write_text("all: {hosts: {new01: }}\n")
    (tmp_path / "prod.ini").write_text("web01\n")
    (tmp_path / "glpi.csv").write_text("Nom;IP\nNEW01;10.0.0.1\n")
    problems: list[Problem] = []
    found = inventory.read([tmp_path], schema("inventory"), problems)
    assert ([h.id for h in found.hosts], problems) == (["new01", "web01"], [])
    (notice,) = found.notices
    assert notice["en"].startswith(f"{tmp_path / 'glpi.csv'}: not read: 00-imported.yaml stands for the tables")


def test_what_is_no_inventory_in_a_folder_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Once a folder, after what is wrong; not about a file that is named as an inventory."""
    (tmp_path / "hosts").write_text("web01\n")
    (tmp_path / "site.yml").write_text("- hosts: all\n")
    (tmp_path / "zone.yml").write_text("- hosts: all\n")
    name = tmp_path.name
    assert problems_in(tmp_path) == [
        f"{name}/site.yml:1:1: must be a mapping, not a list",
        f"{name}/zone.yml:1:1: must be a mapping, not a list",
        f"{name}: every file of the folder is read, as Ansible does: if site.yml is no inventory, move it elsewhere",
    ]


def test_a_folder_that_leads_in_a_circle_is_said(tmp_path: Path) -> None:
    """Never a hang, never a folder less in silence."""
    (tmp_path / "hosts").write_text("web01\n")
    (tmp_path / "sub").symlink_to(tmp_path)
    assert problems_in(tmp_path) == [f"{tmp_path.name}/sub: the link leads in a circle: remove it"]


def test_a_folder_with_too_many_files_is_said(tmp_path: Path) -> None:
    """The wrong folder was given."""
    for number in range(1001):
        (tmp_path / f"f{number}.ini").write_text(f"h{number}\n")
    assert problems_in(tmp_path) == [f"{tmp_path.name}: holds more than 1000 files: this is no inventory"]


def test_a_million_rows_are_refused_soon(tmp_path: Path) -> None:
    """A log that was taken for a list of machines is no list of machines."""
    (tmp_path / "big.csv").write_bytes(b"Nom;IP\n" + b"srv;10.0.0.1\n" * 1_000_000)
    (problem,) = problems_in(tmp_path / "big.csv")
    assert "more than 100000 rows" in problem


def test_files_of_variables_that_are_binary_or_encrypted_are_said(tmp_path: Path) -> None:
    """A binary file is an error, a whole encrypted file a notice, files of other endings are no variables."""
    write(
        tmp_path,
        hosts="all: {hosts: {x: }}",
        **{"group_vars__all/a.yml": "$ANSIBLE_VAULT;1.1;AES256\n31\n", "group_vars__all/n.txt": "["},
    )
    loaded = inventory.read([tmp_path], schema("inventory"), [])
    assert [h.id for h in loaded.hosts] == ["x"]
    assert "encrypted with ansible-vault" in loaded.notices[0]["en"]
    (tmp_path / "group_vars" / "all" / "logo").write_bytes(b"\x89PNG\r\n\0")
    problems: list[Problem] = []
    inventory.read([tmp_path], schema("inventory"), problems)
    assert [p.message for p in problems] == ["not UTF-8 text"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo broken >&2; exit 3", "ended with the code 3; it wrote:\nbroken"),
        ("echo '{'", "not JSON"),
        ("echo '[]'", "must be a mapping of groups"),
        ("sleep 150 & wait", "did not end within 1 s"),
    ],
)
def test_a_program_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str) -> None:
    """With what it wrote on standard error; one that hangs is ended, with what it started."""
    from auditor.load.inventory import program

    monkeypatch.setattr(program.listing, "__defaults__", (1.0,))
    file = tmp_path / "cloud"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    assert any(words in p for p in problems_in(file)), problems_in(file)


@given(
    st.one_of(
        st.text("AZTFNalse_rueon019.-+'", max_size=12),
        st.sampled_from(["True", "False", "None", "10.0.0.1", "1.2", "1e5", "1_0", "0x1"]),
    )
)
def test_a_value_of_ini_is_a_python_literal_or_text(written: str) -> None:
    """What is told from a literal at a glance is told as ast.literal_eval would have."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = ast.literal_eval(written)
    except (ValueError, SyntaxError):
        wanted = written
    wanted = "..." if wanted is ... else str(wanted) if isinstance(wanted, complex) else wanted
    seen = groups_ini.value(written)
    assert (seen, type(seen)) == (wanted, type(wanted))


def test_ten_thousand_hosts_of_a_listing_and_of_ini_load_in_seconds(tmp_path: Path) -> None:
    """What Ansible prints for a large fleet, and what people write by hand."""
    names = [f"h{n}" for n in range(10_000)]
    listing = {"_meta": {"hostvars": {n: {"ansible_host": "192.0.2.1", "k": 1} for n in names}}, "g": {"hosts": names}}
    (tmp_path / "l.json").write_text(json.dumps(listing))
    (tmp_path / "l.ini").write_text("[g]\n" + "".join(f"{n} ansible_host=192.0.2.1 k=1\n" for n in names))
    for name in ("l.json", "l.ini"):
        loaded = inventory.read([tmp_path / name], schema("inventory"), [])
        assert len(loaded.hosts) == 10_000


# ---------------------------------------------------------------- how many at once


SITES = """\
all:
  vars: {auditor_at_once: 50}
  children:
    south: {hosts: {s1: , s2: }, vars: {auditor_at_once: 4}, children: {rack: {hosts: {s3: }}}}
    north: {hosts: {n1: }}
"""


def test_the_limits_of_all_groups_of_a_host_hold(tmp_path: Path) -> None:
    """A child's does not replace its parent's; group_vars win over what the inventory says of that group."""
    hosts = hosts_of(tmp_path, SITES, group_vars__rack="auditor_at_once: 1", group_vars__south="auditor_at_once: '3'")
    assert {n: h.at_once for n, h in hosts.items()} == {
        "s1": (("all", 50), ("south", 3)),
        "s2": (("all", 50), ("south", 3)),
        "s3": (("all", 50), ("south", 3), ("rack", 1)),
        "n1": (("all", 50),),
    }


def test_hosts_that_say_the_same_limit_themselves_share_it(tmp_path: Path) -> None:
    """`ansible-inventory --list` says of each host what its groups said."""
    listing = {"all": {"hosts": ["a", "b", "c"]}, "_meta": {"hostvars": {n: {"auditor_at_once": 4} for n in "ab"}}}
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps(listing))
    problems: list[Problem] = []
    hosts = inventory.read([path], schema("inventory"), problems).hosts
    assert problems == []
    assert [h.at_once for h in hosts] == [(("=4", 4),), (("=4", 4),), ()]


@pytest.mark.parametrize("written", ["0", "513", "-1", "four", "true", "4.0", "[4]", "'{{ n }}'", "!vault x", "1000"])
def test_a_limit_is_a_number_of_hosts(tmp_path: Path, written: str) -> None:
    """Said once, where it stands."""
    problems = problems_of(tmp_path, f"all:\n  vars: {{auditor_at_once: {written}}}\n  hosts: {{a: , b: }}")
    assert len(problems) == 1
    assert problems[0].startswith("hosts.yaml:2:")
    assert "is no number of hosts (1 to 512)" in problems[0]
