#!/usr/bin/env bash
# duckdb 2.0.1 (1.5.5 is the same): a folder called name=value above a file takes the place of the column of that name, although columns= names
# every column with its type, auto_detect is off and nobody asked for partitions. No error; hive_partitioning=false helps.
# Seen: three rows A, B, C are read as Q, Q, Q.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 2>/dev/null
mkdir "$folder/symbol=Q"
printf 'symbol,price\nA,1\nB,2\nC,3\n' > "$folder/symbol=Q/prices.csv"
seen=$("$folder/venv/bin/python" - "$folder/symbol=Q/prices.csv" <<'PY'
import sys
import duckdb
options = "columns={'symbol': 'VARCHAR', 'price': 'BIGINT'}, auto_detect=false, header=true, delim=','"
for more in ("", ", hive_partitioning=false"):
    print("".join(row[0] for row in duckdb.sql(f"SELECT symbol FROM read_csv('{sys.argv[1]}', {options}{more})").fetchall()))
PY
)
echo "$seen"
[ "$seen" = $'QQQ\nABC' ] || { echo "this has changed" >&2; exit 1; }
