#!/bin/sh
# Installs the servers and tools that the tests talk to (Debian, as root). Quick when all is there; not root: says what lacks.
set -eu

PACKAGES='openssh-server openssh-client sudo busybox dash bash mount util-linux iproute2 restic borgbackup libpam-google-authenticator rsyslog rsyslog-openssl rsyslog-gnutls openssl bsdutils logrotate clamav clamav-daemon systemd-journal-remote openssh-sftp-server man-db groff-base python3-venv chromium fonts-dejavu-core poppler-utils'

if ! command -v dpkg-query >/dev/null; then
  echo "tests/servers.sh: no Debian system; the tests want: $PACKAGES" >&2
  exit 0
fi

# Daemons that would take the place of the machine's own are unpacked here, not installed.
ASIDE=/opt/auditor-tests
for package in chrony; do
  if ! [ -d "$ASIDE/$package" ] && [ "$(id -u)" = 0 ]; then
    folder=$(mktemp -d)
    (cd "$folder" && { apt-get download -q "$package" || { apt-get update -q && apt-get download -q "$package"; }; }) >&2
    mkdir -p "$ASIDE"
    dpkg -x "$folder"/*.deb "$ASIDE/$package"
    rm -r "$folder"
  fi
done

missing=
for package in $PACKAGES; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

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
