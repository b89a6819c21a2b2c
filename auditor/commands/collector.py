"""`auditor collector install-files`: the text that answers as root, its Ansible role and its sudoers line, written to a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click

from auditor import shelves
from auditor.commands import inputs
from auditor.errors import InvalidInput
from auditor.framing.collector import digest, elevated_text, version
from auditor.sentences import clean

TEXT, RULE = "auditor-elevated", "auditor.sudoers"
ROLE = Path("roles/auditor_account/files")  # a role is copied elsewhere whole: it has both files too


def install_files(folder: str, probes: str | None, lang: str | None) -> int:
    known, own = inputs.all_probes(probes)
    catalogue = inputs.elevated(known)
    wanted = _files(elevated_text(catalogue))
    _write(Path(folder), wanted)
    say = inputs.voice(lang).say
    click.echo(
        say("Collector {version}, SHA-256 {digest}").format(version=version(catalogue), digest=digest(catalogue))
    )
    if own:
        names = ", ".join(sorted(Path(file).stem for file in own))
        click.echo(say("With the questions of your own probes: {names}").format(names=clean(names)))
    for name in wanted:
        click.echo(f"  {clean(folder, 0)}/{name}")
    click.echo(say(_checked(Path(folder) / RULE)))
    click.echo(
        say(
            "Next: read auditor-elevated, put your public key beside it as auditor.pub, then run on-each-host.sh as root on each"
            " host, or auditor-account.yml with Ansible; both say how in their first lines."
        )
    )
    return 0


def _files(text: str) -> Mapping[str, str]:
    """What is written, by path below the folder."""
    templates = shelves.PACKAGE / "installing"
    shipped = {p.relative_to(templates).as_posix(): p.read_text("utf-8") for p in templates.rglob("*") if p.is_file()}
    both = {TEXT: text, RULE: shipped[RULE]}
    return dict(sorted({**shipped, **both, **{f"{ROLE}/{name}": said for name, said in both.items()}}.items()))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Raises InvalidInput for a folder that holds something, or that cannot be written."""
    try:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(f"{folder} is there and not empty: name a new folder")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
            path.chmod(0o755 if path.name == TEXT else 0o644)
    except OSError as error:
        raise InvalidInput(f"{error.filename or folder} cannot be written: {error.strerror}") from None


def _checked(rule: Path) -> str:
    """What visudo says of the rule, as a sentence to be translated; where it is not here, that nobody checked it."""
    from auditor.operators import N_

    program = shutil.which("visudo", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        return N_(
            "auditor.sudoers was not checked: visudo is not on this machine; both ways to install it do so first."
        )
    done = subprocess.run([program, "-cf", str(rule)], capture_output=True, check=False, timeout=30)
    if done.returncode:
        raise InvalidInput(f"visudo refuses {rule}: {clean((done.stdout + done.stderr).decode('utf-8', 'replace'))}")
    return N_("auditor.sudoers: visudo finds nothing wrong.")
