"""The `ansible_winrm_*` variables of a host in; what the transport takes of them out, and a problem for what it does not."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.load import schema
from auditor.load.inventory.given import Given, whole

# Files, words of a list, what is read or changes nothing here, and what is only taken as it is by default.
SECRETS = ("password", "pass")  # they are named instead
_FILES = ("ca_trust_path", "cert_pem", "cert_key_pem")
_WORDS = {
    "scheme": ("https", "http"),
    "transport": ("ntlm", "kerberos", "basic", "certificate"),
    "message_encryption": ("auto", "always"),
}
_READ = (
    *_FILES, "path", "service", "kerberos_hostname_override",
    "connection_timeout", "operation_timeout_sec", "read_timeout_sec", "keytab", "realm", "kinit_mode", "kinit_cmd", "kinit_args",
    "kinit_env_vars",
)  # fmt: skip
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")
_REFUSED = {
    "server_cert_validation": (
        ("validate",),
        "certificates are always verified; remove it, and give the authority that signed the host's in ansible_winrm_ca_trust_path",
    ),
    "send_cbt": (_YES, "NTLM is always bound to its TLS channel; remove it"),
    "kerberos_delegation": (_NO, "our ticket is not given to hosts; remove it"),
    "proxy": (("",), "hosts are asked directly; remove it"),
}
_TRANSPORTS = {
    "credssp": "CredSSP gives our password to the host that is asked; take ntlm or kerberos",
    "plaintext": "plaintext shows the password to whoever listens; take ntlm, or basic over HTTPS",
    "ssl": "'ssl' may mean two things; write basic or certificate",
    "negotiate": "one way to log in is tried, and it is named: write ntlm or kerberos",
}


def variables(given: Given, connection: str) -> Iterator[tuple[str, str]]:
    """The `ansible_winrm_*` variables by short name, paths whole; those of another connection say nothing."""
    for key in given.variables:
        short = key.removeprefix("ansible_winrm_")
        if short == key or short in SECRETS:
            continue
        value = given.value(key)
        if isinstance(value, dict | list):
            given.wrong(key, f"{key} must be text")
            continue
        if value is None:
            continue
        said = str(value).lower() if isinstance(value, bool) else str(value)
        wrong = _problem(short, said) if connection == "winrm" else ""
        if wrong:
            given.wrong(key, f"{key}: {wrong}")
        yield short, whole(said, given.variables[key].file) if short in _FILES and said else said


def _problem(short: str, said: str) -> str:
    """What is wrong with a variable of WinRM, "" for nothing."""
    if short in _REFUSED:
        allowed, why = _REFUSED[short]
        return "" if said.lower() in allowed else why
    if short in _WORDS:
        return "" if said in _WORDS[short] else _word(short, said)
    if short in _READ:
        return ""
    known = [*_REFUSED, *_WORDS, *_READ]
    return f"is not read by this release: remove it{schema.did_you_mean(short, known)}"


def _word(short: str, said: str) -> str:
    if short == "transport" and said in _TRANSPORTS:
        return _TRANSPORTS[said]
    return f"'{said[:80]}' is none of {', '.join(_WORDS[short])}{schema.did_you_mean(said, _WORDS[short])}"


def port(given: Given) -> int:
    return 5985 if given.text("ansible_winrm_scheme") == "http" else 5986
