"""The variables of Ansible that change nothing in how a host is connected to. Pure."""

from __future__ import annotations

import re

# Of its own working here and on the host ...
_WORKING = (
    r".*_interpreter|shell_(type|executable|allow_world_readable_temp)|remote_tmp|system_tmpdirs|async_dir|group_priority|"
    r"become_(flags|pass|password)|sudo_pass|(ssh_)?pipelining|timeout|command_timeout|connect_timeout|"
    r"ssh_(retries|timeout|verbosity|use_tty|transfer_method|password_mechanism)|(ssh_)?(scp|sftp)_.*|"
    r"(ssh_)?control_path(_dir)?|persistent_(connect_timeout|command_timeout|buffer_read_timeout|log_messages)|"
    r"psrp_.*|httpapi_.*|netconf_.*|managed|module_compression|no_target_syslog|keep_remote_files|"
    r"check_mode|diff_mode|verbosity|version|forks|limit|run_tags|skip_tags|config_file|playbook_python|inventory_sources|"
    r"search_path|play_(name|hosts|hosts_all|batch|role_names)|role_name(s)?|dependent_role_names|parent_role_(names|paths)"
)
# ... and its facts, what it found there: https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_vars_facts.html
_FACTS = (
    r"facts.*|local|all_ipv[46]_addresses|apparmor|architecture|bios_(date|vendor|version)|"
    r"(board|chassis)_(asset_tag|name|serial|vendor|version)|cmdline|date_time|default_ipv[46]|device_links|devices|"
    r"distribution(_(file_(parsed|path|variety|search_string)|debug|major_version|minor_version|release|version))?|"
    r"dns|domain|env|fibre_channel_wwn|fips|firmware_version|form_factor|fqdn|hostname|hostnqn|interfaces|ip_addresses|"
    r"is_chroot|iscsi_iqn|kernel(_version)?|lastboot|lo|loadavg|locally_reachable_ips|lsb|lvm|machine(_id)?|"
    r"(memfree|memory|memtotal|pagefile|swapfree|swaptotal)_mb|memory|mounts|net_\w+|netbios_name|nodename|"
    r"os_(family|name|installation_type|product_type)|owner_(contact|name)|pkg_mgr|powershell_version|proc_cmdline|"
    r"processor(_(cores|count|nproc|threads_per_core|vcpus))?|product_(name|serial|uuid|version)|python(_version)?|"
    r"(effective|real)_(group|user)_id|reboot_pending|selinux(_python_present)?|service_mgr|ssh_host_key_\w+_public(_keytype)?|"
    r"system|system_(capabilities|capabilities_enforced|description|vendor)|systemd|uptime_seconds|"
    r"user_(dir|gecos|gid|id|shell|sid|uid)|userspace_(architecture|bits)|virtualization_(role|type|tech_guest|tech_host)|"
    r"win_rm_certificate_\w+|windows_domain(_\w+)?|"
    r"br[-_]\w+|(eth|en[opsx]|br|bond|docker|team|veth|virbr|wl|tap|tun|vlan|vmbr|wg)[\w.-]*[0-9][\w.-]*"  # interfaces
)
HARMLESS = re.compile(f"{_WORKING}|{_FACTS}")
