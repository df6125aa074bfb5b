#!/usr/bin/env bash
# duckdb 2.0.1: TRY_CAST of a text to DOUBLE takes a plus before a minus, and an underscore within the exponent. To DECIMAL it takes neither.
# Seen: -5.0, 10000000000.0, None.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 2>/dev/null
seen=$("$folder/venv/bin/python" - <<'PY'
import duckdb
for text, kind in (("+-5", "DOUBLE"), ("1e1_0", "DOUBLE"), ("+-5", "DECIMAL(9,2)")):
    print(duckdb.execute(f"SELECT TRY_CAST(? AS {kind})", [text]).fetchone()[0])
PY
)
echo "$seen"
[ "$seen" = $'-5.0\n10000000000.0\nNone' ] || { echo "this has changed" >&2; exit 1; }
