"""A Kerberos realm of the tests' own: a real KDC on a port of loopback, its files in a folder that goes with it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REALM = "TOWN.TEST"
USER = f"auditor@{REALM}"
PASSWORD = "canary-ticket"

_KRB5 = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
"""
_KDC = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
 }}
"""


@dataclass(frozen=True)
class Realm:
    """`environment` is what a process of the realm needs, client or service."""

    folder: Path
    environment: dict[str, str]
    find: Callable[[str], str]

    def administer(self, query: str) -> None:
        self._run("kadmin.local", "-q", query)

    def kinit(self, *options: str, user: str = USER, password: str = PASSWORD) -> str:
        """Where the new ticket is kept."""
        cache = f"FILE:{self.folder}/cache-{time.monotonic_ns()}"
        self._run("kinit", "-c", cache, *options, user, said=f"{password}\n")
        return cache

    def _run(self, program: str, *words: str, said: str = "") -> None:
        command = [self.find(program), *words]
        done = subprocess.run(command, env=self.environment, input=said, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def realm(folder: Path, find: Callable[[str], str]) -> Iterator[Realm]:
    """`find` gives the path of a program."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = {"realm": REALM, "port": port, "folder": folder}
    (folder / "krb5.conf").write_text(_KRB5.format(**said))
    (folder / "kdc.conf").write_text(_KDC.format(**said))
    (folder / "acl").write_text("")
    own = {
        "KRB5_CONFIG": f"{folder}/krb5.conf",
        "KRB5_KDC_PROFILE": f"{folder}/kdc.conf",
        "KRB5_KTNAME": f"{folder}/keytab",
    }
    one = Realm(folder, {**os.environ, **own, "LC_ALL": "C"}, find)
    one._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
    one.administer(f"addprinc -pw {PASSWORD} auditor")
    one.administer("addprinc -randkey HTTP/localhost")
    one.administer(f"ktadd -k {folder}/keytab HTTP/localhost")
    process = subprocess.Popen(
        [find("krb5kdc"), "-n"], env=one.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _listening(port)
        yield Realm(folder, one.environment, find)
    finally:
        process.terminate()
        process.wait(10)


def _listening(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the KDC does not listen")
