#!/bin/sh
# Installs the servers and tools that the tests talk to (Debian, as root). Quick when all is there; not root: says what lacks.
set -eu

PACKAGES='git openssh-server openssh-client sudo busybox dash bash mount util-linux iproute2 restic borgbackup libpam-google-authenticator cockpit-ws openvpn openssl rsyslog rsyslog-openssl rsyslog-gnutls bsdutils logrotate clamav clamav-daemon systemd-journal-remote openssh-sftp-server man-db groff-base python3-venv chromium fonts-dejavu-core poppler-utils locales libmonitoring-plugin-perl krb5-kdc krb5-admin-server krb5-user libkrb5-dev gcc python3-dev libfaketime mmdebstrap'

if ! command -v dpkg-query >/dev/null; then
  echo "tests/servers.sh: no Debian system; the tests want: $PACKAGES" >&2
  exit 0
fi

# Installed, these would change how this machine logs in and what its kernel records. They are unpacked beside it, and only a
# test that lays them over /usr in a mount namespace of its own sees them.
BESIDE='auditd audispd-plugins dbus-daemon krb5-user ldap-utils realmd slapd sssd-common sssd-dbus sssd-ldap sssd-tools winbind'
ROOT=/opt/auditor-tests/beside

beside() {
  [ "$(cat "$ROOT/.made" 2>/dev/null)" != "$BESIDE" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "tests/servers.sh: not root, so not unpacked: $BESIDE" >&2
    return 0
  fi
  rm -rf "$ROOT"
  mkdir -p "$ROOT/debs/partial" "$ROOT/usr/lib" "$ROOT/usr/lib64" "$ROOT/usr/bin" "$ROOT/usr/sbin"
  for d in lib lib64 bin sbin; do ln -s "usr/$d" "$ROOT/$d"; done
  # shellcheck disable=SC2086  # a list of words
  fetch() {
    apt-get install -y -q --no-install-recommends --download-only -o Dir::Cache::archives="$ROOT/debs" $BESIDE >&2
  }
  fetch || { apt-get update -q >&2 && fetch; }
  for d in "$ROOT"/debs/*.deb; do dpkg-deb --fsys-tarfile "$d" | tar -x --keep-directory-symlink -C "$ROOT"; done
  rm -rf "$ROOT/debs"
  echo "$BESIDE" > "$ROOT/.made"
}

# Daemons that would take the place of the machine's own are unpacked here, not installed.
ASIDE=/opt/auditor-tests
aside() {
  if [ -d "$ASIDE/$1" ] || [ "$(id -u)" != 0 ]; then return 0; fi
  folder=$(mktemp -d)
  (cd "$folder" && { apt-get download -q "$1" || { apt-get update -q && apt-get download -q "$1"; }; }) >&2
  mkdir -p "$ASIDE"
  dpkg -x "$folder"/*.deb "$ASIDE/$1"
  rm -r "$folder"
}

# A server that roles are played on, as one file; and how a play gets into a chroot, of Ansible's collections only that one.
SERVER='systemd-sysv python3 python3-apt openssh-server sudo rsyslog'
CHROOT="$ASIDE/chroot"

server() {
  [ "$(cat "$CHROOT/.made" 2>/dev/null)" != "$SERVER" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "tests/servers.sh: not root, so no chroot of: $SERVER" >&2
    return 0
  fi
  rm -rf "$CHROOT"
  mkdir -p "$CHROOT"
  folder=$(mktemp -d)
  (cd "$folder" && { apt-get download -q ansible || { apt-get update -q && apt-get download -q ansible; }; }) >&2
  dpkg-deb --fsys-tarfile "$folder"/ansible_*.deb | tar -x -C "$CHROOT" --strip-components=5 --wildcards '*/ansible_collections/community/general/*'
  rm -r "$folder"
  # shellcheck disable=SC1091,SC2154  # of the machine that this runs on
  codename=$(. /etc/os-release; echo "$VERSION_CODENAME")
  mmdebstrap --quiet --mode=root --variant=minbase --include="$(echo "$SERVER" | tr ' ' ,)" --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$codename" "$CHROOT/base.tar" >&2
  [ -f "$CHROOT/ansible_collections/community/general/plugins/connection/chroot.py" ]
  echo "$SERVER" > "$CHROOT/.made"
}

missing=
for package in $PACKAGES; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || { beside; aside chrony; aside crowdsec; server; exit 0; }

if [ "$(id -u)" != 0 ]; then
  echo "tests/servers.sh: not root, so not installed:$missing" >&2
  exit 0
fi

# What is installed here is for the tests alone: no service is started on this machine.
if ! [ -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of words
install() { apt-get install -y -q --no-install-recommends $missing >&2; }
install || { apt-get update -q >&2 && install; }
beside
aside chrony
aside crowdsec
server
