"""The five bullets of article 5 of the convention, in its words; a measure in, the bullet that it is quoted from out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.model import Measure, Text

ARTICLE = "art. 5"
# What is worse stands first. An accepted risk still fails; what was not seen is never better than what was.
ORDER = ("fail", "warn", "accepted", "adapted", "unknown", "nothing_asked", "exempted", "pass", "not_concerned")
_DECIDED = ("accepted_", "adapted_", "exempted_")


@dataclass(frozen=True, slots=True)
class Bullet:
    """One bullet: our short title, and its exact French words."""

    title: Text = field(hash=False)
    quote: str


BULLETS = (
    Bullet(
        {"en": "Identities and access", "fr": "Identités et accès"},
        "une authentification forte pour tout compte administrateur ou connexion distante, avec gestion centralisée des "
        "identités et révocation des droits dans un délai cible de vingtquatre heures suivant le départ d'un agent",
    ),
    Bullet(
        {"en": "Logs", "fr": "Journaux"},
        "la collecte centralisée, horodatée et conservée pendant environ douze mois, des journaux des équipements, "
        "systèmes et applications, avec supervision des anomalies",
    ),
    Bullet(
        {"en": "Protection of workstations and networks", "fr": "Protection des postes et réseaux"},
        "la protection des postes et réseaux par un outil antivirus ou EDR à jour, un filtrage web, un cloisonnement par "
        "VLAN et des pare-feux de nouvelle génération configurés selon les risques identifiés",
    ),
    Bullet(
        {"en": "Patches and tests", "fr": "Correctifs et tests"},
        "une campagne régulière d'application de correctifs (à titre indicatif mensuelle), complétée par un scan de "
        "vulnérabilités au moins trimestriel et un test d'intrusion annuel des périmètres exposés",
    ),
    Bullet(
        {"en": "Backup and recovery", "fr": "Sauvegarde et reprise"},
        "des sauvegardes quotidiennes, copiées hors site, intégrées dans un plan de reprise d'activité visant un objectif "
        "de point de reprise de 24 heures et un objectif de temps de reprise de 48 heures, testés en principe une fois "
        "par an",
    ),
)


def bullet_of(measure: Measure) -> Bullet | None:
    """The bullet that holds the measure's own quote; None for a measure of another text."""
    if measure.article != ARTICLE or not measure.quote:
        return None
    return next((bullet for bullet in BULLETS if measure.quote in bullet.quote), None)


def standing(counted: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of findings and gaps in; how many of each word of ORDER, worst first, zeroes left out."""
    total = dict.fromkeys(ORDER, 0)
    for counts in counted:
        for name, count in counts.items():
            total[name.partition("_")[0] if name.startswith(_DECIDED) else name] += count
    return {name: count for name, count in total.items() if count}


def worst(names: Iterable[str]) -> str:
    """The worst of some words of ORDER; where nothing was counted, nothing was asked."""
    return min(names, key=ORDER.index, default="nothing_asked")
