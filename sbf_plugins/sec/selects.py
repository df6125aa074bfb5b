"""How figures and filings are selected out of the JSON in which the SEC nests them."""

from __future__ import annotations

import json

_FILING_FIELDS = {
    "accession": "accessionNumber", "form": "form", "filed": "filingDate", "accepted": "acceptanceDateTime",
    "report_date": "reportDate", "items": "items", "document": "primaryDocument",
    "description": "primaryDocDescription", "file_number": "fileNumber", "film_number": "filmNumber", "act": "act",
    "size": "size", "is_xbrl": "isXBRL", "is_inline_xbrl": "isInlineXBRL",
}  # fmt: skip
#: The newest thousand stand under ``filings.recent``, the older pages hold nothing else; each field is a list, and the
#: lists are as long as each other.
_FILING_LISTS = ", ".join(
    f"unnest(from_json(lists->'{field}', '[\"VARCHAR\"]')) AS {name}" for name, field in _FILING_FIELDS.items()
)
_FILINGS_SQL = (
    f"SELECT _file, {_FILING_LISTS} "
    "FROM (SELECT _file, coalesce(document->'filings'->'recent', document) AS lists FROM batch)"
)
_COMPANY_FIELDS = {
    "name": "name", "entity_type": "entityType", "sic": "sic", "sic_description": "sicDescription",
    "category": "category", "fiscal_year_end": "fiscalYearEnd", "state_of_incorporation": "stateOfIncorporation",
    "ein": "ein",
}  # fmt: skip
_COMPANY = ", ".join(f"document->>'{field}' AS {name}" for name, field in _COMPANY_FIELDS.items())
_LISTS = ", ".join(
    f"array_to_string(from_json(document->'{field}', '[\"VARCHAR\"]'), ',') AS {field}"
    for field in ("tickers", "exchanges")
)
#: An older page has the lists of filings and nothing else.
_NEWEST = "FROM batch WHERE (document->'filings') IS NOT NULL"
_COMPANIES_SQL = f"SELECT _file, {_COMPANY}, {_LISTS} {_NEWEST}"
#: Days are written as moments: once of midnight in New York, once of midnight UTC, of one and the same day.
_FORMER_NAMES_SQL = f"""
SELECT _file, n.name AS name, left(n."from", 10) AS first_day, left(n."to", 10) AS last_day
FROM (SELECT _file, unnest(from_json(document->'formerNames',
    '[{{"name": "VARCHAR", "from": "VARCHAR", "to": "VARCHAR"}}]')) AS n {_NEWEST})
"""
OF_SUBMISSIONS = {
    "submissions": _FILINGS_SQL, "companies": _COMPANIES_SQL, "former_names": _FORMER_NAMES_SQL
}  # fmt: skip
_FIGURE = ", ".join(
    f'"{name}" VARCHAR' for name in ("start", "end", "val", "accn", "fy", "fp", "form", "filed", "frame")
)
#: taxonomy -> concept -> {units: unit -> [figure]}, flattened level by level.
_SHAPE = json.dumps(f"MAP(VARCHAR, MAP(VARCHAR, STRUCT(units MAP(VARCHAR, STRUCT({_FIGURE})[]))))")
FACTS_SQL = f"""
WITH taxonomies AS (
    SELECT _file, document->>'cik' AS cik, unnest(map_entries(from_json(document->'facts', '{_SHAPE}'))) AS t FROM batch
), concepts AS (
    SELECT _file, cik, t.key AS taxonomy, unnest(map_entries(t.value)) AS c FROM taxonomies
), units AS (
    SELECT _file, cik, taxonomy, c.key AS concept, unnest(map_entries(c.value.units)) AS u FROM concepts
), figures AS (
    SELECT _file, cik, taxonomy, concept, u.key AS unit, unnest(u.value) AS f FROM units
)
SELECT _file, cik, taxonomy, concept, unit,
    CASE WHEN f."start" IS NULL THEN f."end" ELSE f."start" || '/' || f."end" END AS period,
    f.accn AS accession, f."start" AS period_start, f."end" AS period_end, f.val AS value, f.filed AS filed,
    f.form AS form, f.fy AS fiscal_year, f.fp AS fiscal_period, f.frame AS frame
FROM figures
"""
