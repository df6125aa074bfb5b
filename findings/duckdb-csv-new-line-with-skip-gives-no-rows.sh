#!/usr/bin/env bash
# duckdb 2.0.1 (1.5.5 is the same): a CSV whose lines end with CR LF, read with every option given. With skip=1 it has two rows; when new_line says
# what the line ends are, too, and strict_mode (on anyway) is named, it has none, and no error. The first of the two options alone has 2.
# Seen: 2, 2, then 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 2>/dev/null
printf 'a,b\r\n1,2\r\n3,4\r\n' > "$folder/pairs.csv"
seen=$("$folder/venv/bin/python" - "$folder/pairs.csv" <<'PY'
import sys
import duckdb
options = "columns={'a': 'VARCHAR', 'b': 'VARCHAR'}, auto_detect=false, header=false, skip=1, delim=','"
for more in ("", r", new_line='\r\n'", r", new_line='\r\n', strict_mode=true"):
    print(duckdb.execute(f"SELECT count(*) FROM read_csv('{sys.argv[1]}', {options}{more})").fetchone()[0])
PY
)
echo "$seen"
[ "$seen" = $'2\n2\n0' ] || { echo "this has changed" >&2; exit 1; }
