"""How a host finds the configurations, scripts and schedules of its backups. Pure."""

from __future__ import annotations

# Small files where backups are written down: configurations, scripts, schedules; those that assign a repository are asked.
JOBS = r"""small() {
  find -L "$@" -type f -size -256k ! -name '*~' ! -name '*.bak' ! -name '*.dpkg-*' ! -name '*.rpm*' ! -name '.*_history' \
    ! -name '*.sample' ! -name '*.example' -exec grep -lE "$words" {} +
}
everywhere() {
  small /etc/restic /etc/borg /etc/borgbackup /etc/backup /etc/default /etc/sysconfig /etc/conf.d /etc/cron.d /etc/cron.hourly \
    /etc/cron.daily /etc/cron.weekly /etc/periodic /var/spool/cron /usr/local/bin /usr/local/sbin /usr/local/etc /opt -maxdepth 2
  small /etc /root /root/bin /root/.config -maxdepth 1
  small /root/.config/restic /root/.config/borg -maxdepth 2
}
units() {
  grep -lsiE 'restic|borg' /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
    /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/restic*.service /usr/lib/systemd/system/borg*.service
}
all=$(units)
taken=
for u in $all; do
  for f in $(files "$u"); do taken=$taken$nl$f; done
  (unit "$u")
done
words='^[^#]*(RESTIC_REPOSITORY|RESTIC_REPOSITORY_FILE|BORG_REPO)='
assigning=$(everywhere | sort -u)
for f in $assigning; do
  case $taken$nl in *"$nl$f$nl"*) continue ;; esac
  (from=$f; variables "$f" shell && ask)
done
for f in /etc/borgmatic/*.yaml /etc/borgmatic.d/*.yaml /root/.config/borgmatic/*.yaml /root/.config/borgmatic.d/*.yaml; do
  [ -f "$f" ] || continue
  if only "$f"; then (
    from=$f parsed=
    eval "$(awk "$BORGMATIC" <"$f")"
    [ -n "$parsed" ] || printf 'job %s\n' "$f"
  ); else printf 'untrusted %s\n' "$f"; fi
done
words='^[^#]*(restic[^|;&#]* (-r|--repo)[ =]|borg [^|;&#]*[^ "]::|(resticprofile|autorestic|rustic|kopia) )'
for f in $(everywhere | sort -u) $(grep -lE "$words" $all /dev/null); do
  case $nl$assigning$nl in *"$nl$f$nl"*) ;; *) printf 'job %s\n' "$f" ;; esac
done
for d in /root/.cache/restic/[0-9a-f]*; do [ -d "$d" ] && echo 'used restic' && break; done
for d in /root/.config/borg/security/[0-9a-f]*; do [ -d "$d" ] && echo 'used borg' && break; done
# a find that cannot do this would have found nothing, silently
words=root
[ -n "$(small /etc/passwd -maxdepth 2)" ] && [ -n "$(grep -lsE 'a|root' /etc/passwd)" ] && echo end
"""
