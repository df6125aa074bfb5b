"""Promises on what comes from outside, and on keys, broken on purpose; see ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_THE_BORDER = [
    ('border: journals lead out', 'sbf_core/bronze/journal_line.py', '    if why:\n        raise ValueError(why)', '    if False:\n        raise ValueError(why)', 'tests/trust/test_border.py'),
    ('border: ledgers lead out', 'sbf_core/ops/rows.py', '    why = row.why_unsafe\n    if why:', '    why = row.why_unsafe\n    if False:', 'tests/trust/test_border.py'),
    ('border: parents of a folder', 'sbf_core/inside.py', '    if not _PART.fullmatch(name):', '    if name in ("", "a"):', 'tests/trust/test_border.py'),
    ('border: devices', 'sbf_core/inside.py', 'if _DEVICE.match(name) else ""', 'if False else ""', 'tests/trust/test_border.py'),
    ('border: links on the way', 'sbf_core/inside.py', '        if is_link(facts):', '        if False:', 'tests/trust/test_border.py'),
    ('border: ids of runs', 'sbf_core/bronze/journal.py', '    why = why_no_name(run_id)\n    if why:', '    why = why_no_name(run_id)\n    if False:', 'tests/trust/test_border.py'),
    ('border: kinds of fields', 'sbf_core/bronze/journal_line.py', '    if not isinstance(value, kinds) or isinstance(value, bool):', '    if False:', 'tests/trust/test_border.py'),
    ('border: long lines', 'sbf_core/bronze/journal_file.py', '            if len(line) > LINE_BYTES_MAX:', '            if False:', 'tests/trust/test_border.py -k absurd'),
    ('border: declared length', 'sbf_core/bronze/file_reader.py', '    if facts.st_size != row.content_length_bytes:', '    if False:', 'tests/trust/test_border.py'),
    ('border: facts of a backup', 'sbf_core/trust/backup_folder.py', 'if not isinstance(value, kinds[name])), None)', 'if False), None)', 'tests/trust/test_border.py'),
    ('border: database of a backup', 'sbf_core/trust/backup_folder.py', 'if facts.database_file and not _DATABASE.fullmatch(facts.database_file):', 'if False:', 'tests/trust/test_border.py'),
    ('border: links of a backup', 'sbf_core/trust/backup.py', 'if os.path.lexists(place) and is_link(place.lstat()):', 'if False:', 'tests/trust/test_border.py'),
    ('border: a backup stays whole', 'sbf_core/trust/backup.py', '    if before is None or not before.complete:', '    if True:', 'tests/crash/test_backups.py'),
    ('border: a database beside the old one', 'sbf_core/trust/backup.py', '    name = next_database(before)', '    name = "sbf-1.duckdb"', 'tests/crash/test_backups.py'),
    ('border: old databases go last', 'sbf_core/trust/backup.py', '    database = _copy_database(config, folder / name)\n', '    database = _copy_database(config, folder / name)\n    remove_other_databases(folder, name)\n', 'tests/crash/test_backups.py'),
    ('border: blocked plugins', 'sbf_core/cli/trust.py', 'plugins=_all_plugins(restored)', 'plugins=_all_plugins(settings)', 'tests/crash/test_backups.py'),
    ('border: letters that are none', 'sbf_core/runs/result.py', 'escaped(value) for name', 'value for name', 'tests/trust/test_border.py'),
    ('border: lines that could not be read', 'sbf_core/runs/result.py', '        if sum(map(len, told)) > _TOLD_CHARACTERS_MAX:', '        if False:', 'tests/trust/test_border.py'),
    ('border: keys in rejects', 'sbf_core/ops/repo.py', '        row, keys = redacted_in_sql("row_json")', '        row, keys = "row_json", []', 'tests/crash/test_keys_sent_back.py'),
    ('border: keys in quarantine', 'sbf_core/runner/fetch_stage.py', 'content = redacted_bytes(result.evidence)', 'content = result.evidence', 'tests/crash/test_keys_sent_back.py'),
    ('border: keys cut in half', 'sbf_core/http/content.py', 'printable(body[:_NOTE_BYTES_MAX].decode', 'printable(body[:_SHOWN].decode', 'tests/crash/test_keys_sent_back.py'),
    ('border: keys that nobody learnt', 'sbf_core/runner/options.py', '    Keys(settings.home).learn(sorted(keys))', '    pass', 'tests/crash/test_keys_sent_back.py'),
    ('border: keys on pages', 'sbf_core/web/pages_of_datasets.py', '    _ = site.entries  #', '    pass  #', 'tests/crash/test_keys_sent_back.py'),
    ('border: nobody is told of a key', 'sbf_core/runner/key_notes.py', 'if result.payload and holds_key(result.payload, names)), None)', 'if False), None)', 'tests/http/test_masking.py'),
    ('border: masks are kept in mind', 'sbf_core/bronze/journal_line.py', '    if line.masked:', '    if False:', 'tests/http/test_masking.py'),
    ('border: masks of a replay', 'sbf_core/bronze/archive.py', '            masked=line.masked,\n', '', 'tests/http/test_masking.py'),
    ('border: secrets in what is no JSON', 'sbf_core/http/vendor_session.py', '        why = why or unreadable', '        why = why', 'tests/http/test_masking.py'),
    ('border: fields are masked', 'sbf_core/http/vendor_session.py', '        answer, fields, unreadable = await self._masked(answer)', '        fields, unreadable = (), None', 'tests/http/test_masking.py'),
    ('border: keys with escapes', 'sbf_core/secret.py', '        return self.pattern.sub(_SHOWN, text)', '        return text', 'tests/test_secret.py'),
    ('border: keys behind a user', 'sbf_core/secret.py', 'for before in (1, 2))}', 'for before in ())}', 'tests/test_secret.py'),
]  # fmt: skip
