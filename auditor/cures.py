"""What a way in to a host broke at in; its title, what to do and the one command that does it, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote

from auditor.framing.sh import INSTALLED
from auditor.model import CAUSES, Host, Obstacle
from auditor.operators import N_
from auditor.readers.known_hosts import known_name


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a host is not well. `kind` is a Hurdle, a key of CAUSES or one of ours (CURES); `words` say it of this host."""

    host: Host
    kind: str
    words: str = ""
    obstacle: Obstacle | None = None
    account: str = ""  # who we are on the host, as sudoers names it

    @property
    def end(self) -> tuple[str, int, str]:
        """Address, port and user to go to by hand. The host goes by the name that the inventory and ssh_config know."""
        at = self.obstacle
        if at is None:
            return self.host.address, self.host.port, self.host.user
        address = at.address if at.bastion else self.host.address
        return address, at.port or self.host.port, at.user or self.host.user


@dataclass(frozen=True, slots=True)
class Called:
    """How we were called: the command lines that belong to the cures. `candidates` is the file that was written, if any."""

    again: str
    install_files: str
    hosts: str
    candidates: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A command for a shell: the text before and after the one word that differs from host to host."""

    before: str
    word: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Cure:
    title: str
    advice: str
    step: Callable[[Trouble, Called], Step | None] = lambda trouble, called: None


def cure(kind: str) -> Cure:
    """What to do about this kind of trouble; for one that we know nothing of, how to see more of it."""
    return CURES.get(kind) or Cure(CAUSES.get(kind, kind), _SEE, _verbose)


def in_one(before: str, words: tuple[str, ...], after: str) -> str:
    """One command for all these words."""
    if len(words) < 2:
        return f"{before}{''.join(words)}{after}"
    return f'for h in {" ".join(words)}; do {before}"$h"{after}; done'


def path(text: str) -> str:
    """A path as a word for a shell, that still expands its `~`."""
    return f"~/{quote(text[2:])}" if text.startswith("~/") else quote(text)


# ---------------------------------------------------------------- commands


def _way(trouble: Trouble) -> str:
    """The options of ssh and ssh-copy-id for that end."""
    _, port, _ = trouble.end
    jump = trouble.host.proxy_jump if not (trouble.obstacle and trouble.obstacle.bastion) else ""
    named = f"-i {path(trouble.host.key_file)} " if trouble.host.key_file else ""
    return f"{named}{f'-p {port} ' if port not in (0, 22) else ''}{f'-o ProxyJump={quote(jump)} ' if jump else ''}"


def _target(trouble: Trouble) -> str:
    address, _, user = trouble.end
    return quote(f"{user}@{address}" if user else address)


def _address(trouble: Trouble) -> str:
    """Where the connection goes; ssh_config may give another than the inventory."""
    return quote((trouble.obstacle.address if trouble.obstacle else "") or trouble.host.address)


def _port(trouble: Trouble) -> int:
    return trouble.end[1] or 22


def _verbose(trouble: Trouble, called: Called) -> Step | None:
    if trouble.host.connection not in ("ssh", "openssh"):
        return None
    return Step(f"ssh -v {_way(trouble)}", _target(trouble), " true")


def _by_hand(options: str) -> Callable[[Trouble, Called], Step]:
    return lambda t, called: Step(f"ssh {options}{_way(t)}", _target(t), " true")


def _resolve(trouble: Trouble, called: Called) -> Step:
    return Step("getent hosts ", _address(trouble))


def _knock(trouble: Trouble, called: Called) -> Step:
    return Step("nc -vz -w 5 ", _address(trouble), f" {_port(trouble)}")


def _append(trouble: Trouble, called: Called) -> Step:
    return Step(f"cat {path(called.candidates)} >> {_known_file(trouble)}")


def _forget(trouble: Trouble, called: Called) -> Step:
    name = trouble.obstacle.name if trouble.obstacle else ""
    name = name or known_name(trouble.end[0], _port(trouble))
    return Step(f"ssh-keygen -f {_known_file(trouble)} -R ", quote(name))


def _known_file(trouble: Trouble) -> str:
    files = (trouble.obstacle.files if trouble.obstacle else ()) or tuple(filter(None, [trouble.host.known_hosts]))
    return path(files[0]) if files else "~/.ssh/known_hosts"


def _show_certificate(trouble: Trouble, called: Called) -> Step:
    return Step(f"ssh-keyscan -c -p {_port(trouble)} ", _address(trouble), " | ssh-keygen -L -f -")


def _load_key(trouble: Trouble, called: Called) -> Step:
    return Step("ssh-add", f" {path(trouble.host.key_file)}" if trouble.host.key_file else "")


def _copy_key(trouble: Trouble, called: Called) -> Step:
    return Step(f"ssh-copy-id {_way(trouble)}", _target(trouble))


def _methods(trouble: Trouble, called: Called) -> Step:
    return Step(
        f"sshd -T -C user={quote(_account(trouble))},host=localhost,addr=127.0.0.1 | grep -i authenticationmethods"
    )


def _shell(trouble: Trouble, called: Called) -> Step:
    return Step(f"usermod --shell /bin/sh {quote(_account(trouble))}")


def _account(trouble: Trouble) -> str:
    return trouble.end[2] or trouble.account or "ACCOUNT"


_INSTALL = f"install -D -o root -g root -m 0755 auditor-elevated {INSTALLED}"


def _allow(trouble: Trouble, called: Called) -> Step:
    line = f"{_account(trouble)} ALL=(root) NOPASSWD: {INSTALLED}"
    return Step(f"{_INSTALL} && echo {quote(line)} > /etc/sudoers.d/auditor")


def _constant(text: str) -> Callable[[Trouble, Called], Step]:
    return lambda trouble, called: Step(text)


# ---------------------------------------------------------------- what to do

_SEE = N_("To see where it stops:")
_UNKNOWN_KEY = N_("host key not known")

# In the order of the way in. `{install_files}` and `{candidates}` are said by Called.
CURES: Mapping[str, Cure] = {
    "not_authorised": Cure(
        N_("no valid authorisation to audit this perimeter"),
        N_("Have the owner sign one, and give it in estate.yaml under audit_authorisation; until then nobody connects."),
    ),
    "quiet": Cure(N_("in their quiet hours, not asked"), N_("Ask again when they are over.")),
    "no_transport": Cure(
        CAUSES["no_transport"],
        N_(
            "Name another in the inventory, ansible_connection: ssh or openssh; or say in estate.yaml that none is wanted,"
            " connection: none."
        ),
    ),
    "name": Cure(
        N_("the name does not resolve"),
        N_("Mend DNS or /etc/hosts, or give ansible_host in the inventory; this must then print an address:"),
        _resolve,
    ),
    "silent": Cure(
        N_("no answer at the address"),
        N_("It is off, or a firewall drops what this machine sends, or the address is wrong; to try the port again:"),
        _knock,
    ),
    "port": Cure(
        N_("nothing listens at the port"),
        N_("On the host's console, see where sshd listens: give that as ansible_port, or start it when nothing is shown:"),
        _constant("ss -ltnp | grep sshd"),
    ),
    "relay": Cure(
        N_("the bastion cannot reach it"),
        N_("The address or port is wrong, a firewall drops it, or the bastion forwards nothing (AllowTcpForwarding):"),
        _verbose,
    ),
    "no_ssh": Cure(
        N_("no SSH conversation"),
        N_("Something else answers there, or it drops us before SSH begins. To see where it stops:"),
        _verbose,
    ),
    "algorithms": Cure(
        N_("only outdated algorithms"),
        N_(
            "Update its sshd, or let it alone use them: ansible_connection: openssh and auditor_legacy_algorithms. To see"
            " which:"
        ),
        _verbose,
    ),
    "key_unknown": Cure(
        _UNKNOWN_KEY,
        N_("Write the keys that were shown to a file, to compare them:"),
        lambda trouble, called: Step(called.again),
    ),
    "key_written": Cure(
        _UNKNOWN_KEY,
        N_(
            "Compare each fingerprint in {candidates} on its host's console (ssh-keygen -lf"
            " /etc/ssh/ssh_host_ed25519_key.pub), take out what differs, then trust the rest:"
        ),
        _append,
    ),
    "key_untold": Cure(
        _UNKNOWN_KEY,
        N_(
            "The system's ssh does not tell us the key: it shows its fingerprint when you go there by hand; compare it on"
            " the host's console:"
        ),
        _by_hand("-o StrictHostKeyChecking=ask "),
    ),
    "key_changed": Cure(
        N_("HOST KEY CHANGED"),
        N_(
            "If the host was reinstalled, take the old key out, then ask for the new one with --candidate-keys. If not,"
            " somebody may stand in between: trust nothing."
        ),
        _forget,
    ),
    "key_revoked": Cure(
        N_("host key revoked"),
        N_("known_hosts says not to believe this key: on the console, as root, give the host new ones and restart sshd:"),
        _constant("rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A"),
    ),
    "certificate": Cure(
        N_("host certificate not to be believed"),
        N_("Have the authority sign the host's key anew, for the name that it is known by; what it shows:"),
        _show_certificate,
    ),
    "our_key": Cure(
        N_("our own key or secret cannot be used"),
        N_("Do what is said above, on this machine; a key that is encrypted or missing comes from the agent:"),
        _load_key,
    ),
    "login": Cure(
        N_("login refused"),
        N_("Give the account our public key; somebody who may log in there runs:"),
        _copy_key,
    ),
    "more_factors": Cure(
        N_("login takes more, or another proof"),
        N_("Let this account in by its key alone, or name its password (auditor_password); on the host, as root, see:"),
        _methods,
    ),
    "password": Cure(
        N_("password refused"),
        N_("It is withheld after two refusals, so that no account is locked. Try it once by hand, then mend the secret:"),
        _by_hand("-o PubkeyAuthentication=no "),
    ),
    "shell": Cure(
        N_("the login shell does not run sh"),
        N_("Give the account a POSIX shell that prints nothing of its own; on the host, as root:"),
        _shell,
    ),
    "other_platform": Cure(
        CAUSES["other_platform"],
        N_("Say in the inventory what it is, auditor_platform; what is said now:"),
        lambda trouble, called: Step(called.hosts),
    ),
    "other_host": Cure(
        CAUSES["other_host"],
        N_("Say in the inventory how to reach it, ansible_connection and ansible_host; what is said now:"),
        lambda trouble, called: Step(called.hosts),
    ),
    "same_machine": Cure(
        N_("one machine under several names"),
        N_("Give each its own ansible_host, or take one out of the inventory; what is said now:"),
        lambda trouble, called: Step(called.hosts),
    ),
    "no_sudo": Cure(
        N_("no sudo"),
        N_("Install it, as root, or say ansible_become: false: what needs root is then not measured."),
        _constant("apt-get install sudo"),
    ),
    "sudo": Cure(
        N_("sudo does not let us ask as root"),
        N_("Here: {install_files}, read what it writes and copy auditor-elevated there. On the host, as root:"),
        _allow,
    ),
    "old_text": Cure(
        N_("the collector there is absent, of another release or altered"),
        N_("Here: {install_files}, read what it writes and copy auditor-elevated there. On the host, as root:"),
        _constant(_INSTALL),
    ),
}  # fmt: skip
