"""Servers that are not installed on the machine: tests/servers.sh unpacks them beside it, a setup lays them over /usr."""

from __future__ import annotations

from pathlib import Path

from conftest import lacking
from namespaces import need

BESIDE = Path("/opt/auditor-tests/beside")
# A machine with these servers: /etc is a copy, /run is empty, what is written to /var is lost.
MACHINE = f"""
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
cp -an {BESIDE}/etc/. /mnt/etc/ || :
mkdir /mnt/var /mnt/work
mount -t overlay overlay -o lowerdir={BESIDE}/usr:/usr /usr
mount -t overlay overlay -o lowerdir={BESIDE}/var:/var,upperdir=/mnt/var,workdir=/mnt/work /var
mount --bind /mnt/etc /etc
mount -t tmpfs none /run
mkdir -p /run/dbus /run/lock
ip link set lo up
"""

# From here on every `sh` that root starts is one of nobody's.
AS_NOBODY = """
cp /usr/bin/busybox /usr/bin/setpriv /mnt/
cat > /mnt/nobody <<'END'
#!/mnt/busybox sh
[ "$(/mnt/busybox id -u)" != 0 ] || exec /mnt/setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/busybox sh "$@"
exec /mnt/busybox sh "$@"
END
chmod 755 /mnt /mnt/nobody
mount --bind /mnt/nobody /usr/bin/dash
"""


def need_beside(program: str) -> None:
    need("busybox", "setpriv", "ip")
    if not (BESIDE / program).exists():
        lacking(f"this needs {program}, which tests/servers.sh unpacks")
