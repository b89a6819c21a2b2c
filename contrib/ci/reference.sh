set -e
rm -rf build && mkdir build && for host in web01 log01; do cp -r base build/$host; done
ansible-playbook -i inventory -c local -e "target_root={{ playbook_dir }}/build/{{ inventory_hostname }} ansible_python_interpreter={{ ansible_playbook_python }}" site.yml
auditor run policies -i inventory --tree web01=build/web01 --tree log01=build/log01 --store none --fail-on never -f json=reference.json
