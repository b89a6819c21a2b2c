"""Where a host is asked and how one logs in there, and how long it may take to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

OPERATION_S = 20  # how long the host may wait before it says that there is nothing yet; it allows 60 at most
READ_S = OPERATION_S + 10
Method = Literal["ntlm", "kerberos", "basic", "certificate"]


@dataclass(frozen=True, slots=True)
class Door:
    """Where a host is asked, and how one logs in there. `login` holds pywinrm's own arguments, the password aside."""

    url: str
    shown: str
    method: Method
    user: str
    login: dict[str, Any] = field(default_factory=dict)
    connect_s: float = 10.0
