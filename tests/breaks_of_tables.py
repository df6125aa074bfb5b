"""Breaks of what is promised of changed declarations and of fields that are gone, for ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_TABLES = [
    ('drift: nothing is held', 'sbf_core/silver/drift.py', '    if drift is Drift.HOLD:', '    if False:', 'tests/silver/test_drift.py'),
    ('drift: a field that never came is missed', 'sbf_core/silver/drift.py', 'return came is not None and file_id', 'return file_id', 'tests/silver/test_drift.py'),
    ('drift: NULL is a field that is gone', 'sbf_core/silver/drift.py', 'error = lost_field(self._entry, by_id[file_id], came) if came and file_id in by_id else None', "error = FieldGone('gone', column=came[0], fix='') if came else None", 'tests/silver/test_drift.py'),
    ('drift: what was accepted is forgotten', 'sbf_core/runner/accept.py', '        accept_payloads(config, [path for _, path in rows])\n', '', 'tests/silver/test_drift.py'),
    ('drift: order does not matter', 'sbf_core/silver/drift.py', 'and came < to_naive_utc(self._fetched[file_id])', 'and True', 'tests/silver/test_drift.py'),
    ('drift: new fields are told for ever', 'sbf_core/silver/fields.py', 'if (name, "added") not in known]', 'if True]', 'tests/silver/test_drift.py'),
]
