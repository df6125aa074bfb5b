#!/usr/bin/env bash
# duckdb 2.0.1: a cast to VARCHAR of a CSV column with a declared type gives the text of the file, and not that of the value, unless something
# else in the query reads the column, too. So the same expression has two results, and a text that is no value of the type passes.
# Duckdb 1.5.5 gives 1.500 and 7.000 in both.
# Seen: ['1.50', '007'] alone, ['1.500', '7.000'] beside the column itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 2>/dev/null
printf 'amount\n1.50\n007\n' > "$folder/amounts.csv"
seen=$(cd "$folder" && venv/bin/python - <<'PY'
import duckdb
rows = "read_csv('amounts.csv', header=true, delim=',', auto_detect=false, columns={'amount': 'DECIMAL(9,3)'})"
for selected in ("amount::VARCHAR", "amount::VARCHAR, amount"):
    print([row[0] for row in duckdb.execute(f"SELECT {selected} FROM {rows}").fetchall()])
PY
)
echo "$seen"
[ "$seen" = $'[\'1.50\', \'007\']\n[\'1.500\', \'7.000\']' ] || { echo "this has changed" >&2; exit 1; }
