"""Promises on what comes from outside, and on keys, broken on purpose; see ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_THE_BORDER = [
    ('border19: journals lead out', 'sbf_core/bronze/journal_line.py', '    if why:\n        raise ValueError(why)', '    if False:\n        raise ValueError(why)', 'tests/trust/test_border.py'),
    ('border19: ledgers lead out', 'sbf_core/ops/rows.py', '    why = row.why_unsafe\n    if why:', '    why = row.why_unsafe\n    if False:', 'tests/trust/test_border.py'),
    ('border19: parents of a folder', 'sbf_core/inside.py', '    if not _PART.fullmatch(name):', '    if name in ("", "a"):', 'tests/trust/test_border.py'),
    ('border19: devices', 'sbf_core/inside.py', 'if _DEVICE.match(name) else ""', 'if False else ""', 'tests/trust/test_border.py'),
    ('border19: links on the way', 'sbf_core/inside.py', '        if is_link(facts):', '        if False:', 'tests/trust/test_border.py'),
    ('border19: ids of runs', 'sbf_core/bronze/journal.py', '    why = why_no_name(run_id)\n    if why:', '    why = why_no_name(run_id)\n    if False:', 'tests/trust/test_border.py'),
    ('border19: kinds of fields', 'sbf_core/bronze/journal_line.py', '    if not isinstance(value, kinds) or isinstance(value, bool):', '    if False:', 'tests/trust/test_border.py'),
    ('border19: long lines', 'sbf_core/bronze/journal_file.py', '            if len(line) > LINE_BYTES_MAX:', '            if False:', 'tests/trust/test_border.py -k absurd'),
    ('border19: declared length', 'sbf_core/bronze/file_reader.py', '    if facts.st_size != row.content_length_bytes:', '    if False:', 'tests/trust/test_border.py'),
    ('border19: facts of a backup', 'sbf_core/trust/backup_folder.py', 'if not isinstance(value, kinds[name])), None)', 'if False), None)', 'tests/trust/test_border.py'),
    ('border19: database of a backup', 'sbf_core/trust/backup_folder.py', 'if facts.database_file and not _DATABASE.fullmatch(facts.database_file):', 'if False:', 'tests/trust/test_border.py'),
    ('border19: links of a backup', 'sbf_core/trust/backup.py', 'if os.path.lexists(place) and is_link(place.lstat()):', 'if False:', 'tests/trust/test_border.py'),
    ('border19: a backup stays whole', 'sbf_core/trust/backup.py', '    if before is None or not before.complete:', '    if True:', 'tests/crash/test_backups.py'),
    ('border19: a database beside the old one', 'sbf_core/trust/backup.py', '    name = next_database(before)', '    name = "sbf-1.duckdb"', 'tests/crash/test_backups.py'),
    ('border19: old databases go last', 'sbf_core/trust/backup.py', '    database = _copy_database(config, folder / name)\n', '    database = _copy_database(config, folder / name)\n    remove_other_databases(folder, name)\n', 'tests/crash/test_backups.py'),
    ('border19: blocked plugins', 'sbf_core/cli/trust.py', '    restored = Settings(home)  #', '    restored = settings  #', 'tests/crash/test_backups.py'),
]  # fmt: skip
