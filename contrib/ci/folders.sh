# A repository's render.sh, of roles that write below target_root: the servers' files as the play makes them, in build/.
# `base/` has the files of the servers' image that no role writes.
set -e
rm -rf build && mkdir build
for host in web01 log01; do cp -r base "build/$host"; done
ansible-playbook -i inventory -c local -e "target_root={{ playbook_dir }}/build/{{ inventory_hostname }} ansible_python_interpreter={{ ansible_playbook_python }}" site.yml
