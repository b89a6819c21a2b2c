# A repository's render.sh, of roles as they are: played in a chroot for each server, which is then handed over in build/.
# As root, in a container that holds nothing else. base.tar is the root file system of the servers' image, with Python:
#   mmdebstrap --variant=minbase --include=systemd-sysv,python3,python3-apt,openssh-server,sudo,rsyslog bookworm base.tar
# Services that the play starts or restarts are left alone: in a chroot systemd does nothing.
set -e
rm -rf build
for host in web01 log01; do
  mkdir -p "build/$host"
  tar -xpf "${BASE:-/srv/base.tar}" -C "build/$host"
done
ansible-playbook -i inventory -c community.general.chroot -e 'ansible_host={{ playbook_dir }}/build/{{ inventory_hostname }}' site.yml
# What is gone after a start is not handed over. Of programs and libraries, whose names are enough, the bytes are not.
# Who judges is not root.
rm -rf build/*/dev build/*/proc build/*/sys build/*/run build/*/tmp
find build/*/usr/bin build/*/usr/sbin build/*/usr/lib/*-linux-gnu build/*/usr/lib/python3* build/*/usr/share/perl -type f -exec truncate --size=0 {} +
chmod -R a+rX build
