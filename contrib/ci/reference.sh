set -e
sh render.sh
auditor run policies -i inventory --tree web01=build/web01 --tree log01=build/log01 --store none --fail-on never -f json=reference.json
