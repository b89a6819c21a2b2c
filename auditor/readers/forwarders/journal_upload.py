"""systemd-journal-upload's configuration in; where it sends out. Pure.

Sources: journal-upload.conf(5), systemd-journal-upload(8): `URL=` may lack its scheme, which is then https, and its port,
which is then 19532. `-` or `all` in the place of the trusted authorities trusts everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.readers import systemd_conf
from auditor.readers.forwarders.target import NAME, NOTHING, Target, sent


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    texts = list(files.values())
    urls = systemd_conf.assignments(texts, "Upload", "URL")
    trusted = systemd_conf.assignments(texts, "Upload", "TrustedCertificateFile")
    if urls and urls[-1]:
        url = urls[-1] if "://" in urls[-1] else "https://" + urls[-1]
        verifies = NOTHING if trusted and trusted[-1] in ("-", "all") else NAME
        found = sent(url, 19532, url.partition("://")[0], True, verifies, False)
        yield replace(found, selector="*.*")
