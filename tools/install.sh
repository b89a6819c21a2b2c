#!/bin/sh
# Installs auditor from this folder into ~/.local, without network and without root. Again, from a newer one: upgrades.
#   sh install.sh               program in ~/.local/share/auditor, commands in ~/.local/bin, manual in ~/.local/share/man
#   sh install.sh --uninstall   takes these away, and leaves the stored runs
set -eu
unset CDPATH PYTHONPATH PYTHONHOME
for_python='' for_machine='' for_glibc='' # bundle.env tells
here=$(cd -- "$(dirname -- "$0")" && pwd)
base=${HOME:?is not set}/.local/share/auditor
bin=$HOME/.local/bin/auditor
man=$HOME/.local/share/man/man1/auditor.1

fail() {
  printf 'install.sh: %s\n' "$@" >&2
  exit 2
}

ours() { # PATH: a link that this installer made
  case $(readlink -- "$1" 2>/dev/null) in "$base"/venv/*) ;; *) return 1 ;; esac
}

uninstall() {
  for link in "$bin" "$man"; do
    if ours "$link"; then rm -f -- "$link"; fi
  done
  if [ -h "$base/venv" ]; then rm -f -- "$base/venv"; fi
  rm -rf -- "$base"/venv-*
  rmdir -- "$base" 2>/dev/null || true
  if [ -d "$base" ]; then
    printf 'auditor is uninstalled; its runs are kept in %s\n' "$base"
  else
    printf 'auditor is uninstalled\n'
  fi
}

# Sets `python`: one that the wheels of this folder were made for, or says what is wrong with those that are here.
choose_python() {
  seen=
  for python in "python$for_python" python3; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    [ "$version" != "$for_python" ] || return 0
    seen=$version
  done
  [ -n "$seen" ] || fail "there is no python3: install Python $for_python, and its venv module"
  case $seen in
    [012].* | 3.[0-9] | 3.10) fail "python3 is Python $seen, and auditor needs 3.11 or newer: install python$for_python beside it" ;;
  esac
  fail "this bundle is for Python $for_python, and python3 is Python $seen: install python$for_python, or take a bundle made with Python $seen"
}

check() {
  [ -O "$HOME" ] || fail "$HOME is not yours: run this as its owner, without sudo"
  (cd "$here" && sha256sum --check --strict --quiet SHA256SUMS >&2) ||
    fail "this folder is not what was packed (above: which files): unpack the archive again, or fetch it again"
  # shellcheck source=/dev/null
  . "$here/bundle.env"
  machine=$(uname -s -m)
  [ "$machine" = "Linux $for_machine" ] ||
    fail "this bundle is for Linux $for_machine, and this is $machine: take one that was made on such a machine"
  choose_python
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python has no venv module: on Debian and Ubuntu, apt install python$for_python-venv"
  libc=$("$python" -c 'import platform; print(*platform.libc_ver())')
  "$python" -c 'import platform, sys
name, here = platform.libc_ver()
sys.exit(name != "glibc" or [int(n) for n in here.split(".")] < [int(n) for n in sys.argv[1].split(".")])' "$for_glibc" ||
    fail "this bundle needs glibc $for_glibc or newer, and this system has ${libc:-another C library}"
  for link in "$bin" "$man"; do
    if [ -e "$link" ] || [ -h "$link" ]; then
      ours "$link" || fail "$link is there already, and is not of this installer: move it away"
    fi
  done
  [ -h "$base/venv" ] || ! [ -e "$base/venv" ] || fail "$base/venv is there already, and is not of this installer: move it away"
}

# A venv cannot be moved, so each stands under a name of its own and the link `venv` tells which one is used.
install_all() {
  mkdir -p -- "$base" "${bin%/*}" "${man%/*}"
  new=$(mktemp -d -- "$base/venv-XXXXXXXX")
  trap 'rm -rf -- "$new"' EXIT
  trap 'exit 130' HUP INT TERM
  "$python" -m venv -- "$new"
  PIP_CONFIG_FILE=/dev/null "$new/bin/python" -m pip --isolated --quiet --disable-pip-version-check install --no-index \
    --find-links "$here/wheelhouse" --only-binary :all: --require-hashes --requirement "$here/requirements.txt"
  "$new/bin/auditor" --version
  before=$(readlink -- "$base/venv" 2>/dev/null || true)
  swap "${new##*/}" "$base/venv"
  trap - EXIT HUP INT TERM
  swap "$base/venv/bin/auditor" "$bin"
  swap "$base/venv/share/man/man1/auditor.1" "$man"
  for old in "$base"/venv-*; do # an audit may still be running from the one before
    case ${old##*/} in "${new##*/}" | "$before") ;; *) rm -rf -- "$old" ;; esac
  done
}

swap() { # TARGET LINK: in one step, a link is there at any moment
  "$python" -c 'import os, sys
target, link = sys.argv[1:]
beside = f"{link}.{os.getpid()}"
os.symlink(target, beside)
os.replace(beside, link)' "$1" "$2"
}

case ${1-} in
  '')
    check
    install_all
    printf 'installed: %s\n' "$bin"
    case ":$PATH:" in
      *":${bin%/*}:"*) ;;
      *) printf '%s is not on your PATH: add it in ~/.profile, or log in again where that is done already\n' "${bin%/*}" ;;
    esac
    ;;
  --uninstall) uninstall ;;
  *) fail "unknown: $1 (nothing to install, or --uninstall)" ;;
esac
