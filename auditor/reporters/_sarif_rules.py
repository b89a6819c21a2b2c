"""The controls of a run in; what SARIF says of them, each a rule, and texts as SARIF takes them out. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping

from auditor.document import Plain
from auditor.kinds import Voice
from auditor.model import Control, Run
from auditor.sentences import OUTCOME_WORDS, clean

TAGS = 20  # that GitHub takes on one rule
LONGEST = 1000  # characters of one message
LONGEST_FIX = 4000
SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}  # GitHub's bands, each at its middle
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
WARN = "/warn"  # the rule of a missed target: GitHub takes the severity from the rule, and the run's exit code is 0


def rules(run: Run, warned: Container[str], uncatalogued: Mapping[str, str], voice: Voice) -> list[Plain]:
    """Every control, in the order of the plan; one more for each whose target is missed somewhere (`warned`).

    `uncatalogued` gives the severity of those that the run has findings of and knows nothing about.
    """
    all_rules: list[Plain] = []
    for control in run.controls.values():
        all_rules.append(_rule(control, voice))
        if control.id in warned:
            all_rules.append(_warn_rule(control, voice))
    for name, severity in uncatalogued.items():
        all_rules.append(_described(name, severity, name, name, name))
        if name in warned:
            all_rules.append(_described(name + WARN, "low", name, name, name))
    return all_rules


def _rule(control: Control, voice: Voice) -> Plain:
    references = [f"{name}: {', '.join(where)}" for name, where in control.references.items()]
    help_ = "\n".join([clean(voice.text(control.fix), LONGEST_FIX), *(clean(line) for line in references)])
    rule = _described(control.id, control.severity, voice.text(control.title), voice.text(control.why), help_)
    named_in = (f"{name}:{one}" for name, where in control.references.items() for one in where)
    tags = dict.fromkeys(("security", control.policy, control.measure, *named_in))
    rule["properties"]["tags"] = [clean(tag) for tag in tags if tag][:TAGS]
    return rule


def _warn_rule(control: Control, voice: Voice) -> Plain:
    """The same control where its limit is kept: low, so that no gate closes on what the run itself lets pass."""
    rule = _rule(control, voice)
    title = f"{clean(voice.text(control.title))} ({voice.say(OUTCOME_WORDS['warn'])})"
    properties = {**rule["properties"], "security-severity": SECURITY["low"]}
    return {**rule, **_titled(control.id + WARN, "warning", title), "properties": properties}


def _described(name: str, severity: str, title: str, full: str, help_: str) -> Plain:
    properties = {"precision": "very-high", "security-severity": SECURITY[severity], "tags": ["security"]}
    return {
        **_titled(name, LEVELS[severity], title),
        "fullDescription": {"text": one_line(full) or name},
        "help": {"text": unlinked(help_) or name},
        "properties": properties,
    }


def _titled(name: str, level: str, title: str) -> Plain:
    return {"id": name, "shortDescription": {"text": one_line(title) or name}, "defaultConfiguration": {"level": level}}


def one_line(text: str) -> str:
    return unlinked(clean(text, LONGEST))


def unlinked(text: str) -> str:
    """No text makes a link or takes an argument: what a host said might."""
    return text.replace("](", "] (").replace("{", "{{").replace("}", "}}")
