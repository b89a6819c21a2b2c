"""A reference to a secret in, the secret out, at the last moment; and who may try it when it can lock an account."""

from auditor.credentials.hidden import Secret, redacted
from auditor.credentials.references import FORMS, Secrets, problem, secret
from auditor.credentials.sources import NoSecret
from auditor.credentials.trials import Trials, Withheld

__all__ = ["FORMS", "NoSecret", "Secret", "Secrets", "Trials", "Withheld", "problem", "redacted", "secret"]
