"""Breaks each promise on purpose and says which of the tests notices: ``python tests/break_promises.py [NAME ...]``.

Each entry changes one line of a copy of the checkout and runs the tests of the rooms concerned. A change that survives is
a promise without a test. Takes about five minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: name, file, text, what it is replaced by, tests that must fail
BREAKS = [
    ('byte for byte', 'sbf_core/bronze/file_writer.py', 'view = memoryview(payload)', 'view = memoryview(payload.strip())', 'tests/bronze'),
    ('never overwrite', 'sbf_core/bronze/file_writer.py', '        if os.path.exists(final):', '        if False:', 'tests/bronze'),
    ('case collisions', 'sbf_core/bronze/paths.py', 'parts.append("~" + char)', 'parts.append(char)', 'tests/bronze'),
    ('journal chain', 'sbf_core/bronze/journal.py', 'if _chained(previous, text) != chain:', 'if False:', 'tests/bronze'),
    ('no-op by hash', 'sbf_core/runner/fetch_stage.py', 'if payload_hash in (self._known', 'if payload_hash in () and (self._known', 'tests/silver'),
    ('commit guard', 'sbf_core/duck/transaction.py', '        if not same:', '        if False:', 'tests/duck'),
    ('swallowed error', 'sbf_core/duck/transaction.py', '            raise TransactionBroken("an SQL error', '            same = True\n            print("an SQL error', 'tests/duck'),
    ('one transaction', 'sbf_core/silver/promotion.py', '            self._make_promoted(conn, rows', '            conn.execute("COMMIT; BEGIN")\n            self._make_promoted(conn, rows', 'tests/silver'),
    ('dedup', 'sbf_core/silver/promotion.py', '        if not _number(conn, "SELECT count(*) FROM twice"):\n            return', '        return', 'tests/silver'),
    ('reject share', 'sbf_core/silver/promotion.py', 'HAVING count(_reason) > ? * count(*)', 'HAVING count(_reason) > 100 + ? * count(*)', 'tests/silver'),
    ('rounding', 'sbf_core/silver/cast.py', 'value = f"CASE WHEN NOT contains({x}, \'_\') AND ({fits}) THEN', 'value = f"CASE WHEN NOT contains({x}, \'_\') THEN', 'tests/silver'),
    ('date cut', 'sbf_core/silver/cast.py', 'CASE WHEN length({x}) = 10 AND', 'CASE WHEN', 'tests/silver'),
    ('float true', 'sbf_core/silver/inspection.py', 'careful = "DOUBLE" in types and', 'careful = False and', 'tests/silver'),
    ('exact decimals', 'sbf_core/silver/inspection.py', 'exact = any(', 'exact = False and any(', 'tests/silver'),
    ('secret wrapper', 'sbf_core/silver/source.py', 'secret = secrets.token_hex(8)', 'secret = "f"; owned_off = True', 'tests/silver'),
    ('as_of bound', 'sbf_core/silver/tables.py', 'known_to > ts AND NOT', 'known_to >= ts AND NOT', 'tests/silver'),
    ('as_of from', 'sbf_core/silver/tables.py', 'FROM {current} WHERE known_from <= ts UNION', 'FROM {current} WHERE known_from < ts UNION', 'tests/silver'),
    ('recorded bound', 'sbf_core/silver/tables.py', 'recorded_at <= recorded_until', 'true', 'tests/silver'),
    ('late context', 'sbf_core/runner/promote_stage.py', 'younger = {row.bronze_file_id: row for old in late for row in self._ops.load_promoted_since(old)}', 'younger = {}', 'tests/silver tests/properties'),
    ('late order', 'sbf_core/silver/merge.py', 'ORDER BY known_from, recorded_at', 'ORDER BY recorded_at, known_from', 'tests/silver tests/properties'),
    ('history kept', 'sbf_core/silver/merge.py', '"FROM {current} AS t JOIN delta', '"FROM {current} AS t JOIN (FROM delta LIMIT 0)', 'tests/silver'),
    ('snapshot closes', 'sbf_core/silver/promotion.py', 'return close_vanished(conn', 'return 0 and close_vanished(conn', 'tests/silver'),
    ('watermark', 'sbf_core/ops/repo.py', 'coverage_to = greatest(w.coverage_to, p.coverage_to)', 'coverage_to = w.coverage_to', 'tests/silver'),
    ('reject recorded', 'sbf_core/ops/service.py', '        self._repo.insert_rejects(conn, entry.silver_table, rejects)\n', '', 'tests/silver'),
    ('gold tests', 'sbf_core/gold/build.py', '        if failed:', '        if False:', 'tests/gold'),
    ('gold order', 'sbf_core/gold/order.py', 'return [by_name[name] for name in names]', 'return list(models)', 'tests/gold'),
    ('gold delete', 'sbf_core/gold/build.py', '    if gone:', '    if False:', 'tests/gold'),
    ('subset call', 'sbf_core/plugin/manager.py', '!= record.name]', '== record.name]', 'tests/plugin'),
    ('plugin raise', 'sbf_core/plugin/manager.py', '        except (Exception, SystemExit) as error:  # a plugin may raise', '        except ZeroDivisionError as error:  # a plugin may raise', 'tests/plugin'),
    ('twice owner', 'sbf_core/plugin/registry.py', '        if first is not None:', '        if False:', 'tests/plugin'),
    ('newer schema', 'sbf_core/duck/bootstrap.py', 'version > latest_version():', 'version > 1000:', 'tests/duck'),
    ('hardened', 'sbf_core/duck/bootstrap.py', 'SET enable_external_access = false;', '', 'tests/duck tests/cli'),
    ('sql one stmt', 'sbf_core/cli/query.py', '    if len(statements) != 1:', '    if False:', 'tests/cli'),
    ('secrets in address', 'sbf_core/http/live.py', '            address=url,\n            payload', '            address=full,\n            payload', 'tests/http'),
    ('retry', 'sbf_core/http/live.py', 'if answer.status_code in _RETRY_STATUSES:', 'if False:', 'tests/http'),
    ('data date', 'sbf_core/ops/service.py', 'for fetch in other if fetch.error is None]', 'for fetch in other]', 'tests/ops'),
    ('dead runs', 'sbf_core/trust/recovery.py', 'adopted = sum(_adopt(ops, config, path) for path in lost)', 'adopted = 0', 'tests/silver'),
    ('due', 'sbf_core/plan/planner.py', 'if hours >= entry.refresh_after_hours:', 'if hours > entry.refresh_after_hours:', 'tests/plan'),
    ('window gap', 'sbf_core/plan/planner.py', 'days=1 - entry.lookback_days', 'days=2 - entry.lookback_days', 'tests/plan'),
    ('replay twice', 'sbf_core/runner/replay.py', 'due = not all(', 'due = True or not all(', 'tests/plugins'),
]


def copy_of_checkout(target: Path) -> None:
    """The tracked files."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)


def noticed(name: str, file: str, text: str, broken: str, tests: str) -> bool:
    """Whether the tests fail once ``text`` in ``file`` is ``broken``."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_of_checkout(copy)
        path = copy / file
        before = path.read_text(encoding="utf-8")
        if text not in before:
            raise SystemExit(f"{name}: {text!r} is not in {file}; bring this list up to date")
        path.write_text(before.replace(text, broken, 1), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", *tests.split(), "-q", "-x", "-n", "auto", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True)
        return done.returncode != 0


def main(names: list[str]) -> int:
    """Break what is named, or everything; 1 if something survived."""
    rooms = " ".join(sorted({room for entry in BREAKS for room in entry[4].split()}))
    if noticed("nothing", "README.md", "# sbf", "# sbf", rooms):
        raise SystemExit("the tests fail although nothing was broken; mend that first")
    survived = 0
    for entry in BREAKS:
        if names and entry[0] not in names:
            continue
        caught = noticed(*entry)
        survived += not caught
        print(f"{'noticed ' if caught else 'SURVIVED'}  {entry[0]}", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
