"""Breaks of what sbf promises of rejects, of gold that is declared otherwise, and of cleaning, for ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_CHANGES = [
    ('rejects: oldest first', 'sbf_core/facts/rejects.py', 'ORDER BY m.fetched_at DESC', 'ORDER BY m.fetched_at', 'tests/facts/test_rejects.py'),
    ('rejects: limit ignored', 'sbf_core/facts/rejects.py', 'limit=f"LIMIT {limit}" if limit else ""', 'limit=""', 'tests/facts/test_rejects.py'),
    ('rejects: place stays in the row', 'sbf_core/facts/rejects.py', "regexp_replace(r.row_json, '{ours}', '}}')", 'r.row_json', 'tests/facts/test_rejects.py'),
    ('rejects: digits are rounded', 'sbf_core/cli/rejects.py', 'parse_float=_exact', 'parse_float=float', 'tests/facts/test_rejects.py'),
    ('rejects: a half file stays', 'sbf_core/facts/rejects.py', '        near.replace(target)\n', '', 'tests/facts/test_rejects.py'),
    ('rejects: old ones stay when a table is made again', 'sbf_core/ops/taking_over.py', 'for table in ("promotion_manifest", "rejects"):', 'for table in ("promotion_manifest",):', 'tests/facts/test_rejects.py'),
    ('gold: kind is no part of it', 'sbf_core/gold/declared.py', '_PLAIN = ("kind", ', '_PLAIN = (', 'tests/gold/test_gold_changes.py'),
    ('gold: tests by name', 'sbf_core/gold/declared.py', "return f\"{type(test).__name__}({', '.join(f'{name}={given[name]!r}' for name in sorted(given))})\"", 'return str(test.name) + str(given)[:0]', 'tests/gold/test_gold_changes.py'),
    ('gold: a source is a declaration', 'sbf_core/gold/declared.py', '    declared = model.declared\n', '    declared = model\n', 'tests/gold/test_gold_changes.py'),
    ('gold: a delta under another key', 'sbf_core/gold/build.py', 'if not same_key or not table_exists', 'if not table_exists', 'tests/gold/test_gold_changes.py'),
    ('gold: a circle stops all', 'sbf_core/gold/order.py', '            left = [model for model in left if model.name not in faults]\n', '            left = []\n', 'tests/gold/test_gold_changes.py'),
    ('gold: bad SQL stops all', 'sbf_core/gold/order.py', '            faults[model.name] = f"{error.what}; {error.fix}"\n            continue', '            raise', 'tests/gold/test_gold_changes.py'),
    ('gold: one name twice builds one', 'sbf_core/gold/order.py', '        if names.count(model.name) > 1:', '        if False:', 'tests/gold/test_gold_changes.py'),
    ('gold: a wrong type stops its plugin', 'sbf_core/runner/gold_stage.py', '            models.extend(found)\n', '            models.extend(found if not wrong else [])\n', 'tests/gold/test_gold_changes.py'),
    ('gold: failures are not recorded', 'sbf_core/gold/build.py', '            self._record_failure(conn, name, self._ops.clock.now(), {}, why)\n', '', 'tests/gold/test_gold_changes.py'),
    ('gold: stale is not told', 'sbf_core/facts/gold_states.py', '        for name, why in stale.items()\n', '        for name, why in ()\n', 'tests/gold/test_gold_changes.py'),
    ('gold: explained by what did not make it', 'sbf_core/facts/lineage.py', 'for stale in stale_gold(cursor, [model]):', 'for stale in []:', 'tests/gold/test_gold_changes.py'),
    ('gold: left over is not told', 'sbf_core/facts/gold_states.py', '            state, why = "left", _why_left(known.silent)\n', '            pass\n', 'tests/gold/test_gold_changes.py'),
    ('clean: removes without being asked', 'sbf_core/cli/clean.py', 'manager, chosen, tables=tables) if yes else', 'manager, chosen, tables=tables) if True else', 'tests/cli/test_clean.py'),
    ('clean: quarantine unasked', 'sbf_core/cli/clean.py', 'set() if quarantine else {LeftKind.QUARANTINE}', 'set()', 'tests/cli/test_clean.py'),
    ('clean: tables unasked', 'sbf_core/cli/clean.py', '        if tables:\n            silver', '        if True:\n            silver', 'tests/cli/test_clean.py'),
    ('clean: while a run is at work', 'sbf_core/runner/clean.py', '    bootstrap.open(wait_seconds=wait_seconds)\n', '    bootstrap = DuckDbBootstrap(config, read_only=True)\n', 'tests/cli/test_clean.py'),
    ('clean: of a run at work', 'sbf_core/facts/left_overs.py', 'quiet = alone or not config.holder.exists()', 'quiet = True', 'tests/cli/test_clean.py'),
    ('clean: a copy of a user', 'sbf_core/duck/set_aside.py', 'kinds = ((f"{_NAME}*.duckdb"', 'kinds = (("*.duckdb"', 'tests/cli/test_clean.py'),
    ('clean: the copy that is just made', 'sbf_core/cli/clean.py', ' if one.name in before]', ']', 'tests/cli/test_clean.py'),
    ('clean: the newest copy for readers', 'sbf_core/duck/publish.py', 'if path != current and path.suffix', 'if path.suffix', 'tests/cli/test_clean.py'),
    ('clean: Parquet that is read', 'sbf_core/duck/publish_tables.py', 'as_posix() not in names]', 'as_posix()]', 'tests/cli/test_clean.py'),
    ('clean: a table that is renamed', 'sbf_core/facts/left_overs.py', '(entry.silver_table, *entry.former_tables)}', '(entry.silver_table,)}', 'tests/cli/test_clean.py'),
    ('clean: tables of a plugin with a fault', 'sbf_core/cli/clean.py', '    if faulty and must_be_sure:', '    if False:', 'tests/cli/test_clean.py'),
    ('clean: without a database', 'sbf_core/runner/clean.py', '    if not config.database.exists():', '    if False:', 'tests/cli/test_clean.py'),
    ('clean: a table never comes back', 'sbf_core/runner/clean.py', '            ops.tables.forget(conn, table)\n', '', 'tests/cli/test_clean.py'),
    ('clean: follows links', 'sbf_core/facts/left_overs.py', '    if path.is_symlink() or not path.is_dir():', '    if not path.is_dir():', 'tests/cli/test_clean.py'),
]
