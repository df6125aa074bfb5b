#!/usr/bin/env bash
# duckdb 1.5.5 and 2.0.1 (PyPI): the message of a failed read_json quotes the value that it could not take, cut after a number of bytes. Where the cut falls
# into a character of two bytes, the message is no UTF-8, and Python raises UnicodeDecodeError, a ValueError, in the place of a duckdb.Error: code that
# catches duckdb.Error lets it through, and the reason is lost. The file is JSON (RFC 8259); only the declared type does not fit.
# Seen: for a text of 100 letters of two bytes UnicodeDecodeError, for the same with one letter of one byte before it InvalidInputException, or the other way round.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 1.5.5 2.0.1; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip install -q "duckdb==$version" 2>/dev/null
  seen=$("$folder/$version/bin/python" - "$folder" <<'PY'
import json
import sys
import duckdb
kinds = set()
for pad in range(2):
    path = f"{sys.argv[1]}/a.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"amount": "x" * pad + "é" * 100}], file, ensure_ascii=False)
    try:
        duckdb.sql(f"SELECT * FROM read_json('{path}', columns={{'amount': 'INTEGER'}})").fetchall()
    except Exception as error:
        kinds.add((type(error).__name__, isinstance(error, duckdb.Error)))
print(duckdb.__version__, sorted(kinds))
PY
)
  echo "$seen"
  [[ "$seen" == *"'UnicodeDecodeError', False"* ]] || { echo "this has changed" >&2; exit 1; }
done
