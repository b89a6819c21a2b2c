"""Tiers: a credential is shown to hosts of its own tier alone, and a domain controller is asked only where somebody says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from make import estate_schemas, write

from auditor.errors import InvalidInput
from auditor.load import estate
from auditor.model import Host

HOSTS = """all:
  children:
    controllers:
      hosts: {dc01: , dc02: }
      vars: {ansible_user: 'TOWN\\audit-t0', auditor_password: env:TIER0}
    servers:
      hosts: {srv01: }
      vars: {ansible_user: 'TOWN\\audit-t1', auditor_password: env:TIER1}
    desktops:
      hosts: {pc01: }
      vars: {ansible_winrm_transport: certificate, ansible_winrm_cert_pem: keys/t2.pem, ansible_winrm_cert_key_pem: keys/t2.key}
    linux:
      hosts: {web01: }
      vars: {ansible_connection: ssh, ansible_ssh_private_key_file: ~/.ssh/audit}
  vars: {ansible_connection: winrm}
"""
ESTATE = """entities: [{id: TOWN}]
perimeters: [{id: own, owner: TOWN, kind: exclusive}]
credentials:
  - {user: 'town\\AUDIT-t0', password: env:TIER0, tier: 0}
  - {user: 'TOWN\\audit-t1', tier: 1}
  - {certificate: keys/t2.pem, tier: 2}
  - {key_file: ~/.ssh/audit, tier: 1}
hosts:
  all: {perimeter: own}
  controllers: {tier: 0, roles: [ad-dc], audit: true}
  servers: {tier: 1}
  desktops: {tier: 2}
  linux: {tier: 1}
"""


def load(folder: Path, hosts: str = HOSTS, said: str = ESTATE) -> Mapping[str, Host]:
    return {h.id: h for h in estate.load(write(folder, hosts=hosts, estate=said), estate_schemas())[0].hosts}


def refused(folder: Path, hosts: str = HOSTS, said: str = ESTATE) -> str:
    with pytest.raises(InvalidInput) as caught:
        load(folder, hosts, said)
    return str(caught.value).replace(f"{folder}/", "")


def test_each_tier_has_its_credential(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert {n: (h.tier, h.connection) for n, h in found.items()} == {
        "dc01": (0, "winrm"), "dc02": (0, "winrm"), "srv01": (1, "winrm"), "pc01": (2, "winrm"), "web01": (1, "ssh"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("servers: {tier: 1}", "servers: {tier: 0}", "estate.yaml:5:5: user TOWN\\audit-t1 is of tier 1, and would be shown to srv01 (tier 0)"),
        ("servers: {tier: 1}", "servers: {}", "would be shown to srv01 (no tier)"),
        ("{user: 'TOWN\\audit-t1', tier: 1}", "{user: 'TOWN\\audit-t1', tier: 0}", "is of tier 0, and would be shown to srv01 (tier 1)"),
        ("  - {user: 'TOWN\\audit-t1', tier: 1}\n", "", "no credential is declared for the tier of srv01 (tier 1)"),
        ("desktops: {tier: 2}", "desktops: {tier: 1}", "certificate keys/t2.pem is of tier 2, and would be shown to pc01 (tier 1)"),
        ("linux: {tier: 1}", "linux: {tier: 2}", "key_file ~/.ssh/audit is of tier 1, and would be shown to web01 (tier 2)"),
        ("password: env:TIER0, tier: 0", "password: env:OTHER, tier: 0", "no credential is declared for the tier of dc01 (tier 0), dc02 (tier 0)"),
        ("{user: 'TOWN\\audit-t1', tier: 1}", "{tier: 1}", "a credential is named by one or more of user"),
        ("controllers: {tier: 0", "controllers: {tier: 1", "a domain controller is of tier 0: dc01 (tier 1), dc02 (tier 1)"),
        ("tier: 2}", "tier: 3}", "3 is not one of 0, 1, 2"),
        ("audit: true", "audit: perhaps", "must be true or false"),
    ],
)  # fmt: skip
def test_a_credential_is_shown_to_no_other_tier(tmp_path: Path, before: str, after: str, says: str) -> None:
    assert before in ESTATE
    assert says in refused(tmp_path, said=ESTATE.replace(before, after))


def test_an_estate_that_says_no_tier_is_as_it_was(tmp_path: Path) -> None:
    said = "entities: [{id: TOWN}]\nperimeters: [{id: own, owner: TOWN, kind: exclusive}]\nhosts: {all: {perimeter: own}}\n"
    assert {h.tier for h in load(tmp_path, said=said).values()} == {None}


@pytest.mark.parametrize(
    ("said", "connection", "why"),
    [
        ("roles: [ad-dc], audit: true", "winrm", ""),
        ("roles: [ad-dc]", "none", "a domain controller is asked only where estate.yaml says audit: true"),
        ("roles: [ad-dc], audit: false", "none", "estate.yaml says audit: false"),
        ("roles: [ad-dc], connection: by_hand", "by_hand", ""),
        ("roles: [ad-dc], connection: none, why: not ours", "none", "not ours"),
    ],
)
def test_a_domain_controller_is_asked_where_somebody_says_so(
    tmp_path: Path, said: str, connection: str, why: str
) -> None:
    found = load(tmp_path, said=ESTATE.replace("roles: [ad-dc], audit: true", said))["dc01"]
    assert (found.connection, found.why) == (connection, why)


def test_evidence_that_is_brought_by_hand_lasts_longer(tmp_path: Path) -> None:
    by_hand = "roles: [ad-dc], connection: by_hand"
    found = load(tmp_path, said=ESTATE.replace("roles: [ad-dc], audit: true", by_hand))
    assert (found["dc01"].evidence_max_age_s, found["srv01"].evidence_max_age_s) == (90 * 86400, 26 * 3600)
    named = by_hand + ", evidence_max_age: 7d"
    assert (
        load(tmp_path, said=ESTATE.replace("roles: [ad-dc], audit: true", named))["dc01"].evidence_max_age_s
        == 7 * 86400
    )
