"""The two questions on backups, put together. Pure."""

from __future__ import annotations

from shlex import quote

from auditor.probes.questions.repositories.asking import FUNCTIONS
from auditor.probes.questions.repositories.jobs import JOBS
from auditor.probes.questions.repositories.place import PLACE
from auditor.probes.questions.repositories.settings import ASSIGNMENTS, BORGMATIC, QUOTED

# Which backup tools are on the host; its own name and addresses, to know a repository that is only seemingly elsewhere.
TOOLS = r"""printf 'name %s\n' "$(uname -n)"
ip -o addr 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print "address " $4 }'
for t in restic rustic borg borgmatic resticprofile autorestic kopia duplicity rsnapshot proxmox-backup-client \
  veeamconfig bareos-fd bacula-fd urbackupclientctl burp duply pgbackrest rdiff-backup; do
  for d in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /opt/bin /opt/*/bin /snap/bin /root/bin /root/.local/bin; do
    if [ -x "$d/$t" ]; then printf 'tool %s\n' "$t"; break; fi
  done
done
echo end
"""

REPOSITORIES = "".join(
    [
        f"PLACE={quote(PLACE)}\nASSIGNMENTS={quote(QUOTED + ASSIGNMENTS)}\nBORGMATIC={quote(QUOTED + BORGMATIC)}\n",
        FUNCTIONS,
        JOBS,
    ]
)
