"""What gives the kernel its command line, in; the units and files that do not count by it, out. Pure.

Sources: kernel-command-line(7), systemd(1), systemd-volatile-root(8), the manual of GRUB, kernel-install(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.boot.change import Change, numbered, units

FILES = (
    "/etc/default/grub /etc/default/grub.d/*.cfg /etc/kernel/cmdline /etc/kernel/cmdline.d/* /usr/lib/kernel/cmdline"
    " /boot/loader/entries/*.conf /boot/efi/loader/entries/*.conf /efi/loader/entries/*.conf /boot/grub/grub.cfg"
    " /boot/grub2/grub.cfg /boot/grub2/grubenv /boot/cmdline.txt /boot/firmware/cmdline.txt /boot/extlinux/extlinux.conf"
    " /boot/grub/custom.cfg /etc/grub.d/40_custom /etc/grub.d/41_custom /boot/efi/EFI/*/grub.cfg /etc/cmdline.d/*.conf"
    " /etc/dracut.conf.d/*.conf /etc/default/flash-kernel /etc/default/u-boot /etc/default/extlinux /etc/kernel/uki.conf"
    # Variables of systemd itself, which the kernel gives it too.
    " /etc/systemd/system.conf /etc/systemd/system.conf.d/*.conf /usr/local/lib/systemd/system.conf.d/*.conf"
    " /usr/lib/systemd/system.conf /usr/lib/systemd/system.conf.d/*.conf"
)
# Words of systemd that change nothing of which unit is started, with what.
_IDLE = re.compile(
    r"systemd[.](?:show_status|status_unit_format|log_\w+|journald[.]\w+|unified_cgroup_hierarchy|default_\w+|dump_core|crash_\w+"
    r"|legacy_systemd_cgroup_controller|confirm_spawn|service_watchdogs|watchdog\w*|cpu_affinity|random_seed|clock_usec|zram|swap"
    r"|gpt_auto|getty_auto|tty[.]\S*|hostname|machine_id|battery_check|allow_userspace_verity|link_priority)"
)
_INIT = re.compile(r"init=(?!(?:/usr)?(?:/lib/systemd/systemd|/sbin/init)\Z).+")
_RESCUE = frozenset({"single", "rescue", "emergency", "-b", "1", "s", "S"})
_SHELLS = re.compile(r"\s*(?:export\s+)?GRUB_CMDLINE_LINUX(?:_DEFAULT)?\s*\+?=")


def changes(path: str, text: str) -> Iterator[Change]:
    for number, line in numbered(text):
        shell = _SHELLS.match(line)
        words = re.sub("[\"'\\\\]", "", line[shell.end() :] if shell else line).split()
        why = f"the kernel is told {path}:{number}"
        for word in words:
            yield from _told(word, why)
        alone = shell or path.startswith(("/etc/kernel/", "/usr/lib/kernel/"))
        if alone and _RESCUE.intersection(words):
            yield from units(why)


def _told(word: str, why: str) -> Iterator[Change]:
    name, _, value = word.partition("=")
    name = name.replace("-", "_")
    if name == "systemd.mask" and value:
        yield from units(why, value)
    elif name.startswith(("systemd.volatile", "overlayroot")) or _INIT.fullmatch(word):
        yield Change("/", why)
    elif (name.startswith("systemd.") and not _IDLE.fullmatch(name)) or re.search("(?:^|=)SYSTEMD_[A-Z_]+=", word):
        yield from units(why)
    elif name == "audit" and value in ("0", "off"):
        yield Change("/etc/audit", why)
    elif name in ("ds", "cloud_config_url", "cc") and value:
        yield Change("/etc", why)
