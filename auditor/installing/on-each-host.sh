# As root, on each host: sh on-each-host.sh ADDRESS, where ADDRESS is the auditor's machine or the bastion that it comes through.
# The other files stand beside this one, with the auditor's public key as auditor.pub. Run again, it installs a newer text.
set -e
from=${1:?"which address does the auditor come from?"}
cd "$(dirname "$0")"
[ -s auditor.pub ] || { echo "auditor.pub, the auditor's public key, is not here" >&2; exit 1; }
visudo -cf auditor.sudoers
id auditor >/dev/null 2>&1 ||
  useradd --system --no-create-home --home-dir /var/lib/auditor --shell /bin/sh --password '*' auditor
install -d -m 0755 /var/lib/auditor /var/lib/auditor/.ssh /usr/local/libexec
echo "restrict,from=\"$from\" $(cat auditor.pub)" > /var/lib/auditor/.ssh/authorized_keys
chmod 0644 /var/lib/auditor/.ssh/authorized_keys
install -m 0755 auditor-elevated /usr/local/libexec/auditor-elevated
install -m 0440 auditor.sudoers /etc/sudoers.d/auditor
