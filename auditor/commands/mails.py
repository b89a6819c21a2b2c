"""`--mail` and the environment in; the mail of a finished run out, handed to the site's server."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor import mail
from auditor.commands import log
from auditor.compare import compared
from auditor.errors import AuditorError, InvalidInput
from auditor.kinds import Voice
from auditor.model import Run
from auditor.reporters._letter import letter
from auditor.store import Store


@dataclass(frozen=True, slots=True)
class Posting:
    """To whom, from whom and through which server; `detail` names hosts and flaws."""

    to: tuple[str, ...]
    sender: str
    server: mail.Server
    detail: bool


def chosen(to: Sequence[str], detail: bool, environment: Mapping[str, str] = os.environ) -> Posting | None:
    """Checked before anything is asked; None without `--mail`."""
    if not to:
        if detail:
            raise InvalidInput("--mail-detail: says more in a mail; give --mail ADDRESS too")
        return None
    url = environment.get("AUDITOR_SMTP", "")
    if not url:
        raise InvalidInput(f"--mail: name the mail server in AUDITOR_SMTP: {mail.FORM}")
    server = mail.server(url, environment.get("AUDITOR_SMTP_PASSWORD", ""))
    sender = environment.get("AUDITOR_MAIL_FROM", "") or (server.user if "@" in server.user else "")
    if not sender:
        raise InvalidInput("--mail: name the sender in AUDITOR_MAIL_FROM, as auditor@example.org")
    recipients = tuple(dict.fromkeys(mail.address(one, "--mail") for one in to))
    return Posting(recipients, mail.address(sender, "AUDITOR_MAIL_FROM"), server, detail)


def post(posting: Posting, run: Run, store: Store, code: int, voice: Voice) -> None:
    """The run against the one that it was held against, else against the complete one before. Raises NotSent."""
    before = None if run.since else store.before(run.header)
    since = run.since or (compared(before, run) if before else None)
    subject, lines = letter(run, since, code, voice, posting.detail)
    try:
        mail.send(posting.server, mail.message(posting.sender, posting.to, subject, lines))
    except AuditorError as error:
        log.event("mail_not_sent", "error", server=posting.server.host, run=run.header.number, audit_exit_code=code)
        form = "the mail was not sent: {why}\naudit {number} itself ended, and came to exit code {code}: auditor report {number}"
        raise mail.NotSent(form.format(why=error, number=run.header.number, code=code)) from None
    log.event("mail_sent", server=posting.server.host, run=run.header.number, recipients=len(posting.to))
