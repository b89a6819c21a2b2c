"""This source tree and the packages that it needs in; one archive that installs without network out (`make bundle`).

It is for the Python, the machine and the C library that it is made with: wheels are fetched, never compiled here.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "{}.{}".format(*sys.version_info[:2])
# The names of PEP 600 for what earlier ones promised.
EARLIER = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "bundle"
        _fetch(folder / "wheelhouse")
        wheels = sorted((folder / "wheelhouse").iterdir())
        version = next(w.name.split("-")[1] for w in wheels if w.name.startswith("auditor-"))
        (folder / "requirements.txt").write_text(requirements(wheels))
        (folder / "bundle.env").write_text(_env(wheels))
        shutil.copy(ROOT / "tools" / "install.sh", folder)
        shutil.copy(ROOT / "LICENSE", folder)
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        (folder / "SHA256SUMS").write_text("".join(f"{_sha256(p)}  {p.relative_to(folder)}\n" for p in files))
        name = f"auditor-{version}-py{PYTHON}-linux-{platform.machine()}"
        out.mkdir(parents=True, exist_ok=True)
        archive = out / f"{name}.tar.gz"
        _pack(folder, name, archive)
    (out / f"{archive.name}.sha256").write_text(f"{_sha256(archive)}  {archive.name}\n")
    print(archive)


def _fetch(wheelhouse: Path) -> None:
    """Our wheel, built, and those that it needs to run."""
    _run("build", "--wheel", "--no-isolation", "--outdir", str(wheelhouse), str(ROOT))
    ours = next(wheelhouse.iterdir())
    _run("pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(wheelhouse), str(ours))


def _run(*module: str) -> None:
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(module)} failed: the bundle is not made")


def requirements(wheels: Iterable[Path]) -> str:
    """What pip may install, and nothing else: each of these wheels, by its digest."""
    named = ([*wheel.name.split("-")[:2], _sha256(wheel)] for wheel in wheels)
    return "".join(f"{name.replace('_', '-')}=={version} --hash=sha256:{digest}\n" for name, version, digest in named)


def _env(wheels: Iterable[Path]) -> str:
    """What install.sh compares the machine with."""
    needed = max((glibc(wheel.name) for wheel in wheels), default=(2, 5))
    told = {"for_python": PYTHON, "for_machine": platform.machine(), "for_glibc": "{}.{}".format(*needed)}
    return "".join(f"{name}={value}\n" for name, value in told.items())


def glibc(wheel: str) -> tuple[int, int]:
    """The oldest glibc that a wheel of this name runs with: any, unless all its tags ask for more."""
    tags = wheel.removesuffix(".whl").rpartition("-")[2].split(".")
    found = [EARLIER[t.partition("_")[0]] for t in tags if t.partition("_")[0] in EARLIER]
    found += [(int(m[1]), int(m[2])) for t in tags if (m := re.match(r"manylinux_(\d+)_(\d+)_", t))]
    return min(found, default=(2, 5))


def _pack(folder: Path, name: str, archive: Path) -> None:
    """The same files give the same bytes: names in order, no owner, the time of the sources."""
    when = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = when
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    with gzip.GzipFile(archive, "wb", mtime=when) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, f"{name}/{path.relative_to(folder)}", recursive=False, filter=plain)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
