"""Asks DuckDB for the expressions that standard input holds as a JSON list; needs nothing but DuckDB and its pytz.

Prints a JSON list with the text of each answer, null for NULL, and ``an error`` where the engine refuses.
"""

from __future__ import annotations

import json
import sys

import duckdb


def main() -> None:
    """Answer."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    answers = []
    for expression in json.load(sys.stdin):
        is_select = expression.startswith("SELECT ")  # asked as it is: what stands around it could change the answer
        query = expression if is_select else f"SELECT CAST({expression} AS VARCHAR)"
        try:
            row = connection.execute(query).fetchone()
            answers.append(None if row is None or row[0] is None else str(row[0]))
        except duckdb.Error:
            answers.append("an error")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
