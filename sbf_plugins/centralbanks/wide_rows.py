"""Rows of the banks that write a column for each currency, by SQL."""

from __future__ import annotations

from collections.abc import Sequence


def _of_json(rows: str, day: str, names: str) -> str:
    return f"""
SELECT _file, line ->> '{day}' AS date, currency, line ->> currency AS quoted,
    CASE WHEN regexp_full_match(line ->> currency, '[0-9]{{1,3}}(,[0-9]{{3}})*([.][0-9]+)?')
        THEN replace(line ->> currency, ',', '')
        ELSE line ->> currency
    END AS rate
FROM (
    SELECT _file, line, unnest(json_keys(line)) AS currency
    FROM (SELECT _file, unnest(CAST(document -> '{rows}' AS JSON[])) AS line FROM batch)
)
WHERE regexp_full_match(currency, '{names}') AND line ->> currency IS NOT NULL
"""


def hong_kong() -> str:
    """Currencies in small letters; beside them stand indices, which have longer names."""
    return _of_json("$.result.records", "end_of_day", "[a-z]{3}|special_drawing_rights")


def mongolia() -> str:
    """Currencies in capitals, and RATE_DATE. Thousands are marked: 3,576.42."""
    return _of_json("$.data", "RATE_DATE", "[A-Z]{3}")


def botswana(fields: Sequence[str]) -> str:
    """From one column a currency to one row a rate."""
    names = ", ".join(f'"{name}"' for name in fields if len(name) == 3 and name.isalpha() and name.isupper())
    return f'SELECT _file, "Date", currency, rate FROM batch UNPIVOT INCLUDE NULLS (rate FOR currency IN ({names}))'
