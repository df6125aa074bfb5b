"""Breaks of what sbf promises of rejects, of gold that is declared otherwise, and of cleaning, for ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_CHANGES = [
    ('rejects: oldest first', 'sbf_core/facts/rejects.py', 'ORDER BY m.fetched_at DESC', 'ORDER BY m.fetched_at', 'tests/facts/test_rejects.py'),
    ('rejects: limit ignored', 'sbf_core/facts/rejects.py', 'limit=f"LIMIT {limit}" if limit else ""', 'limit=""', 'tests/facts/test_rejects.py'),
    ('rejects: place stays in the row', 'sbf_core/facts/rejects.py', "regexp_replace(r.row_json, '{ours}', '}}')", 'r.row_json', 'tests/facts/test_rejects.py'),
    ('rejects: digits are rounded', 'sbf_core/cli/rejects.py', 'parse_float=_exact', 'parse_float=float', 'tests/facts/test_rejects.py'),
    ('rejects: a half file stays', 'sbf_core/facts/rejects.py', '        near.replace(target)\n', '', 'tests/facts/test_rejects.py'),
    ('rejects: old ones stay when a table is made again', 'sbf_core/ops/take_over.py', 'for table in ("promotion_manifest", "rejects"):', 'for table in ("promotion_manifest",):', 'tests/facts/test_rejects.py'),
]
