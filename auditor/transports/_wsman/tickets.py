"""What is Kerberos' own: a login bound to the certificate that the host showed, and why there is no ticket for it."""

from __future__ import annotations

import re
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from winrm.transport import HAVE_KERBEROS

from auditor.transports._endpoint import Refused

if HAVE_KERBEROS:
    import kerberos
    from winrm.vendor.requests_kerberos.exceptions import KerberosExchangeError, MutualAuthenticationError

    TICKETS: tuple[type[Exception], ...] = (KerberosExchangeError, kerberos.KrbError)
    UNPROVEN: tuple[type[Exception], ...] = (MutualAuthenticationError,)
else:
    TICKETS, UNPROVEN = (), ()

SKEW_S = 300.0  # RFC 4120, 1.6: five minutes, which Windows keeps as its default

# What libkrb5 refused by, by its own numbers (krb5/krb5.h): the same in every language.
_KRB5 = {
    -1765328383: ("auth", "the account has expired"),
    -1765328377: (
        "auth",
        "the domain knows no service of that name: name the host as the domain does, or give kerberos_hostname_override",
    ),
    -1765328378: ("auth", "the domain does not know this account"),
    -1765328366: ("auth", "the account is disabled or locked"),
    -1765328352: ("auth", "the ticket has expired: kinit"),
    -1765328347: ("clock_skew", "our clock and the domain's differ by more than Kerberos lets pass"),
    -1765328243: ("auth", "no ticket for this account: kinit"),
    -1765328189: ("auth", "no ticket: kinit"),
    -1765328228: ("auth", "no server of the domain answers for a ticket"),
    -1765328230: ("auth", "no server of the domain is known for that name: see krb5.conf"),
    -1765328164: ("auth", "the name of a server of the domain does not resolve: see krb5.conf"),
}


def binding(certificate: bytes) -> Any:
    """What a login is bound to, as the library wants it; it is there wherever somebody logs in by Kerberos."""
    return kerberos.channelBindings(application_data=b"tls-server-end-point:" + _end_point(certificate))


def _end_point(certificate: bytes) -> bytes:
    """The hash of a certificate that a login is bound to (RFC 5929, 4.1)."""
    found = x509.load_der_x509_certificate(certificate)
    try:
        signed_by = found.signature_hash_algorithm
    except UnsupportedAlgorithm:
        signed_by = None
    weak = signed_by is None or signed_by.name in ("md5", "sha1")
    return found.fingerprint(hashes.SHA256() if weak or signed_by is None else signed_by)


def untaken(words: str) -> Refused:
    """Why no ticket was to be had, or none that serves; by the number, as its words may be in any language."""
    numbers = [int(n) for n in re.findall(r"-17653[0-9]{5}", words)]
    known = next((_KRB5[n] for n in numbers if n in _KRB5), None)
    return (
        Refused(*known)
        if known
        else Refused("auth", f"no ticket: Kerberos says {numbers[-1] if numbers else 'no number'}")
    )
