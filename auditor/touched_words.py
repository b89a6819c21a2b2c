"""The side that a change was judged by in; in words, which one, and what the change does to what judges it, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.kinds import Voice
from auditor.model import Touched, Trusted
from auditor.operators import N_
from auditor.sentences import clean

SHORT = 12  # characters of a commit
# In the order in which reports tell them.
WORDS = {
    ("reference", "removed"): N_("reference removed: {name}; the trusted one counts"),
    ("reference", "changed"): N_("reference changed: {name}; the trusted one counts"),
    ("control", "removed"): N_("control removed: {name}"),
    ("control", "changed"): N_("control changed: {name}"),
    ("control", "added"): N_("control added: {name}; it judges nothing in this change"),
    ("measure", "removed"): N_("measure removed: {name}"),
    ("measure", "changed"): N_("measure changed: {name}"),
    ("measure", "added"): N_("measure added: {name}"),
    ("decision", "removed"): N_("decision removed: {name}"),
    ("decision", "changed"): N_("decision changed: {name}"),
    ("decision", "added"): N_("decision added: {name}; it closes nothing in this change"),
    ("host", "removed"): N_("host removed: {name}"),
    ("host", "changed"): N_("host changed: {name}"),
    ("host", "added"): N_("host added: {name}; nothing judges it in this change"),
    ("file", "removed"): N_("file removed: {name}"),
    ("file", "changed"): N_("file changed: {name}"),
    ("file", "added"): N_("file added: {name}"),
}


def side(trusted: Trusted, voice: Voice) -> str:
    """By what was judged, and whether the change touches it."""
    form = (
        N_("THIS CHANGE TOUCHES WHAT IT IS JUDGED BY ({count}); judged is by {ref} ({commit}), without it.")
        if trusted.touched
        else N_("Judged is by {ref} ({commit}); this change touches nothing of it.")
    )
    ref, commit = clean(trusted.ref), clean(trusted.commit)[:SHORT]
    return voice.say(form).format(count=len(trusted.touched), ref=ref, commit=commit)


def touched(trusted: Trusted, voice: Voice) -> Iterator[str]:
    """A line for each thing that the change touches."""
    return (said(one, voice) for one in trusted.touched)


def said(one: Touched, voice: Voice) -> str:
    words = voice.say(WORDS[one.kind, one.how]).format(name=clean(one.name))
    return f"{words} ({clean(', '.join(one.what))})" if one.what else words
