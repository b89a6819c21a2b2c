"""How a host prints the configurations of other agents that send logs. Pure.

Sources: the agents' own manuals.
"""

from __future__ import annotations

# What is flattened, each file in its syntax; of an INI and of an XML, a few lines.
AGENTS = r"""g() {
  a=$1 f=$2
  if [ -f "$f" ] && [ -r "$f" ]; then echo "F $a $f"; awk "$C$3" "$f"
  elif [ -e "$f" ]; then echo "! $a $f"
  elif ! gone "$f"; then echo "! $a $p"; fi
}
U='/^[ \t]*\[/ { s = $1; print "|" s; next }
s != "[Upload]" { next }
{ v = $0; sub(/^[^=]*=[ \t]*/, "", v); sub(/[ \t\r]+$/, "", v) }
/^[ \t]*URL[ \t]*=/ { print "|URL=" (v == "" ? "" : place(v)) }
/^[ \t]*TrustedCertificateFile[ \t]*=/ { print "|TrustedCertificateFile=" (v ~ /^(-|all|)$/ ? v : "set") }'
X='{ gsub(/<!--[^>]*-->/, "") }
/<!--/ { c = 1 }
c { if (/-->/) c = 0; next }
/<client>/ { i = 1 }
/<localfile>/ { j = 1 }
i || j {
  x = $0
  while (match(x, /<(address|port|protocol|server-ip|server-hostname|location|log_format)>[^<]*</)) {
    y = substr(x, RSTART, RLENGTH - 1)
    print "|" (y ~ /^<[a-z_-]*>[A-Za-z0-9_.:\/*-]*$/ ? y : "<location>?")
    x = substr(x, RSTART + RLENGTH - 1)
  }
}
j && /<filter/ { print "|<filter>" }
/<\/server>/ || /<\/localfile>/ { print "|end" }
/<\/client>/ { i = 0 }
/<\/localfile>/ { j = 0 }'
o=$(systemd-analyze cat-config systemd/journal-upload.conf 2>/dev/null)
if [ -n "$o" ]; then
  echo "F journal-upload /etc/systemd/journal-upload.conf"
  printf '%s\n' "$o" | awk "$C$U"
else
  for f in /usr/lib/systemd/journal-upload.conf /etc/systemd/journal-upload.conf /etc/systemd/journal-upload.conf.d/*.conf; do
    g journal-upload "$f" "$U"
  done
fi
k fluent-bit '' "$P_b" /etc/fluent-bit/fluent-bit.conf /etc/td-agent-bit/td-agent-bit.conf
k fluent-bit '' "$P_y" /etc/fluent-bit/fluent-bit.yaml /etc/fluent-bit/fluent-bit.yml
k fluentd '' "$P_b" /etc/fluent/fluentd.conf /etc/td-agent/td-agent.conf
k vector '' "$P_t" /etc/vector/vector.toml
k vector '' "$P_y" /etc/vector/vector.yaml /etc/vector/vector.yml
[ -e /etc/vector/vector.json ] && echo "F vector /etc/vector/vector.json"
g wazuh /var/ossec/etc/ossec.conf "$X"
g wazuh /var/ossec/var/run/wazuh-agentd.state '/^status=/ { gsub(/[^a-z=]/, ""); print "|" $0 }'
k filebeat '' "$P_y" /etc/filebeat/filebeat.yml /etc/filebeat/modules.d/*.yml /etc/filebeat/inputs.d/*.yml
k elastic-agent '' "$P_y" /etc/elastic-agent/elastic-agent.yml /opt/Elastic/Agent/elastic-agent.yml
k promtail '' "$P_y" /etc/promtail/config.yml /etc/promtail/config.yaml
k alloy '' "$P_r" /etc/alloy/config.alloy
k nxlog '' "$P_b" /etc/nxlog/nxlog.conf /etc/nxlog.conf /opt/nxlog/etc/nxlog.conf /opt/nxlog/etc/nxlog.d/*.conf
s=/opt/splunkforwarder/etc
k splunk = "$P_b" $s/system/local/outputs.conf $s/apps/*/local/outputs.conf $s/apps/*/default/outputs.conf
"""
