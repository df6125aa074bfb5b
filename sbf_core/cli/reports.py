"""``sbf status`` and ``sbf digest``."""

from __future__ import annotations

from sbf_core.cli.reading import reading, table_of
from sbf_core.cli.render import as_records, print_json, print_table
from sbf_core.errors import UsageError, nearest
from sbf_core.facts.runs import latest_runs
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.settings import Settings
from sbf_core.trust.digest import digest_tables, warehouse_tables

_DATASETS = """
SELECT m.domain || '/' || m.source || '/' || m.dataset || CASE WHEN m.discriminator = '' THEN '' ELSE '@' || m.discriminator END AS dataset,
    max(p.silver_table) AS silver_table, count(DISTINCT m.ticker) AS tickers, count(*) AS files,
    count(*) FILTER (p.status IS NULL) AS pending, count(*) FILTER (p.status = 'failed') AS failed,
    sum(p.rows_rejected) AS rejected, max(p.coverage_to) AS covered_to, max(m.fetched_at) AS last_fetched
FROM ops.bronze_manifest AS m LEFT JOIN ops.promotion_manifest AS p USING (bronze_file_id) GROUP BY 1 ORDER BY 1
"""
_GOLD = """
SELECT table_name, arg_max(status, started_at) AS status, arg_max(rows_seen, started_at) FILTER (status = 'ok') AS rows,
    max(finished_at) FILTER (status = 'ok') AS built_at, arg_max(coalesce(error_message, ''), started_at) AS error
FROM ops.gold_manifest GROUP BY 1 ORDER BY 1
"""
_FAILURES = """
SELECT coalesce(rel_path, subject) AS what, error FROM ops.file_ingestions
WHERE status = 'failed' AND run_id = (SELECT arg_max(run_id, started_at) FROM ops.file_ingestions WHERE kind = 'run') AND kind <> 'run'
ORDER BY 1 LIMIT 20
"""


def status_report(home: str | None, *, as_json: bool) -> None:
    """What is in the warehouse, how fresh it is, and what went wrong in the last run."""
    settings = Settings(home)
    with reading(settings) as cursor:
        runs = latest_runs(cursor, limit=1)
        datasets = table_of(cursor, _DATASETS)
        gold = table_of(cursor, _GOLD)
        failures = table_of(cursor, _FAILURES)
    if as_json:
        print_json("status", home=str(settings.home), last_run=runs.records, datasets=as_records(*datasets), gold=as_records(*gold), failures=as_records(*failures))
        return
    if runs.rows:
        last = runs.records[0]
        print(f"Last run {last['run_id']}: {last['status']}, {last['started_at']:%Y-%m-%d %H:%M}Z")
        print()
    for _, (headers, rows) in (("datasets", datasets), ("gold", gold), ("failures", failures)):
        if rows:
            print_table(headers, rows)
            print()


def digest_report(home: str | None, *, tables: tuple[str, ...], as_json: bool) -> None:
    """One checksum for each silver and gold table."""
    settings = Settings(home)
    keys = _keys(settings)
    with reading(settings) as cursor:
        known = warehouse_tables(cursor)
        unknown = next((table for table in tables if table not in known), None)
        if unknown is not None:
            raise UsageError(f"there is no table {unknown!r}", fix=nearest(unknown, known) or "tables are " + ", ".join(known), code="UNKNOWN_TABLE")
        digests = digest_tables(cursor, keys=keys, only=tables)
    if as_json:
        print_json("digest", tables=[{"table": item.table, "rows": item.rows, "sha256": item.sha256} for item in digests])
    else:
        print_table(("table", "rows", "sha256"), [(item.table, item.rows, item.sha256) for item in digests])


def _keys(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Key columns of the silver tables whose plugins are installed; other tables are ordered by all of their columns."""
    registry = DatasetRegistry(PluginManager(block=settings["plugins.block"], options=settings.options))
    keys = {}
    for owned in registry.datasets.values():
        keys[f"silver.{owned.entry.silver_table}"] = owned.entry.key_columns
        keys[f"silver.{owned.entry.silver_table}_history"] = (*owned.entry.key_columns, "known_from")
    return keys
