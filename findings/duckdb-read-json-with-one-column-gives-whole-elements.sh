#!/usr/bin/env bash
# duckdb 2.0.1: read_json of a list with columns= of two fields gives the fields. With one field of that list declared and a value among the elements
# that is no object, the column holds whole elements as JSON text in its place; records=true keeps the meaning (and refuses the list).
# Seen: ('1',) without the odd element; ('{"a":1}',) and ('5',) with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 2>/dev/null
printf '[{"a":1}]' > "$folder/plain.json"
printf '[{"a":1},5]' > "$folder/odd.json"
seen=$("$folder/venv/bin/python" - "$folder" <<'PY'
import sys
import duckdb
for name in ("plain", "odd"):
    print(duckdb.sql(f"SELECT * FROM read_json('{sys.argv[1]}/{name}.json', columns={{'a': 'VARCHAR'}}, format='array')").fetchall())
PY
)
echo "$seen"
[ "$seen" = $'[(\'1\',)]\n[(\'{"a":1}\',), (\'5\',)]' ] || { echo "this has changed" >&2; exit 1; }
