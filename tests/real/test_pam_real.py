"""Which file of PAM decides: libpam itself is asked, and readers/pam is held against it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from auditor.readers import doors, enrolment, listeners, passwd, processes, sudoers, vpn
from auditor.readers.entering.host import Host, host_of, who_is
from auditor.readers.entering.verdicts import judge
from auditor.readers.files import Files

LETS_IN, DENIES = "auth required pam_permit.so\n", "auth required pam_deny.so\n"
ACCOUNT = "account required pam_permit.so\n"
# The files, the service that is asked for, whether it lets in.
FOLDERS = [
    ({"login": LETS_IN, "other": DENIES}, "login", True),
    ({"login": DENIES, "other": LETS_IN}, "login", False),
    ({"other": LETS_IN}, "login", True),
    ({"other": DENIES}, "login", False),
    ({"login": ACCOUNT, "other": LETS_IN}, "login", True),
    ({"login": ACCOUNT, "other": DENIES}, "login", False),
    ({"Login": LETS_IN, "other": DENIES}, "Login", False),
    ({"Login": DENIES, "login": LETS_IN, "other": DENIES}, "Login", True),
    ({"login": LETS_IN, "other": DENIES}, "/x/Login", True),
    ({"login": LETS_IN + "@include gone\n", "other": LETS_IN}, "login", False),
    ({"login": LETS_IN + "auth include gone\n", "other": LETS_IN}, "login", False),
    ({"login": LETS_IN + "auth substack gone\n", "other": LETS_IN}, "login", False),
    ({"login": "@include gone\n", "other": LETS_IN}, "login", False),
]  # fmt: skip
_TALK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class _Conversation(ctypes.Structure):
    _fields_ = (("talk", _TALK), ("told", ctypes.c_void_p))


def _refuse(*_: object) -> int:
    return 19  # PAM_CONV_ERR


def lets_in(folder: Path, service: str) -> bool:
    libpam, handle = ctypes.CDLL("libpam.so.0"), ctypes.c_void_p()
    talk = _Conversation(_TALK(_refuse), None)
    start = libpam.pam_start_confdir
    if start(service.encode(), b"root", ctypes.byref(talk), str(folder).encode(), ctypes.byref(handle)):
        return False
    answer = libpam.pam_authenticate(handle, 0)
    libpam.pam_end(handle, answer)
    return bool(answer == 0)


def asked_of(told: Files, service: str) -> Host:
    people = passwd.People({"bob": passwd.Account("bob", 1000, 1000, "/home/bob", "/bin/sh")}, {})
    nobody: frozenset[str] = frozenset()
    proofs = enrolment.Proofs({"bob": "set"}, nobody, {}, frozenset(), nobody, nobody)
    seen = doors.Seen(processes.Processes(frozenset(), None), listeners.Listeners(frozenset()), frozenset())
    ways = vpn.Configured((vpn.Server("OpenVPN", "x", service=service),))
    return host_of(people, sudoers.Rules((), passwd.People({}, {})), told, proofs, seen, ways, {})


@pytest.mark.parametrize(("files", "service", "expected"), FOLDERS)
def test_the_file_that_decides_is_the_one_of_libpam(
    files: dict[str, str], service: str, expected: bool, tmp_path: Path
) -> None:
    """What libpam lets in without a proof is told so; what it denies is denied, or told by nobody."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert lets_in(tmp_path, service) is expected
    told = Files({f"/etc/pam.d/{name}": text.replace(ACCOUNT, "") for name, text in files.items()})
    host = asked_of(told, service)
    verdict = judge(host, service, who_is(host, "bob"))
    assert (verdict == (False, "no proof")) is expected
    assert verdict is None or verdict[0] is not True
