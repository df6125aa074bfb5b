"""Breaks each promise on purpose and says which of the tests notices: ``python tests/break_promises.py [--known] [NAME ...]``.

Each entry changes one line of a copy of the checkout and runs the tests of the rooms concerned. A change that survives is
a promise without a test. The test that noticed a break is kept in ``noticed_by.json`` and is the first that is asked the
next time, which takes seconds a break; only where it says nothing do the rooms run, which takes minutes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Which test noticed a break, by the break's name.
NOTICED_BY = ROOT / "tests" / "noticed_by.json"
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py::.+?)(?: - .*)?$", re.MULTILINE)
sys.path.insert(0, str(ROOT / "tests"))

from breaks_of_changes import BREAKS_OF_CHANGES  # noqa: E402
from breaks_of_children import BREAKS_OF_CHILDREN  # noqa: E402
from breaks_of_reading import BREAKS_OF_READING  # noqa: E402
from breaks_of_tables import BREAKS_OF_TABLES  # noqa: E402
from breaks_of_the_border import BREAKS_OF_THE_BORDER  # noqa: E402
from breaks_of_the_lock import BREAKS_OF_THE_LOCK  # noqa: E402
from breaks_of_what_lies_there import BREAKS_OF_WHAT_LIES_THERE  # noqa: E402

#: name, file, text, what it is replaced by, tests that must fail
BREAKS = [
    ('byte for byte', 'sbf_core/bronze/file_writer.py', 'view = memoryview(payload)', 'view = memoryview(payload.strip())', 'tests/bronze'),
    ('never overwrite', 'sbf_core/bronze/file_writer.py', '        if os.path.lexists(final):', '        if False:', 'tests/bronze'),
    ('case collisions', 'sbf_core/bronze/paths.py', 'parts.append("~" + char)', 'parts.append(char)', 'tests/bronze'),
    ('journal chain', 'sbf_core/bronze/journal.py', 'if _chained(previous, text) != chain:', 'if False:', 'tests/bronze'),
    ('no-op by hash', 'sbf_core/runner/fetch_answers.py', 'return of_address or payload_hash == self._known', 'return False and payload_hash == self._known', 'tests/silver'),
    ('commit guard', 'sbf_core/duck/transaction.py', '        if not same:', '        if False:', 'tests/duck'),
    ('swallowed error', 'sbf_core/duck/transaction.py', '            raise TransactionBroken("an SQL error', '            same = True\n            print("an SQL error', 'tests/duck'),
    ('one transaction', 'sbf_core/silver/promotion.py', '            make_promoted(conn, self._entry, rows', '            conn.execute("COMMIT; BEGIN")\n            make_promoted(conn, self._entry, rows', 'tests/silver'),
    ('dedup', 'sbf_core/silver/judging.py', '    if not number_of(conn, "SELECT count(*) FROM twice"):\n        return', '    return', 'tests/silver'),
    ('reject share', 'sbf_core/silver/judging.py', 'HAVING count(s._reason) > ? * count(*)', 'HAVING count(s._reason) > 100 + ? * count(*)', 'tests/silver'),
    ('as_of bound', 'sbf_core/silver/tables.py', 'known_to > ts AND NOT', 'known_to >= ts AND NOT', 'tests/silver'),
    ('as_of from', 'sbf_core/silver/tables.py', 'WHERE c.known_from <= ts UNION', 'WHERE c.known_from < ts UNION', 'tests/silver'),
    ('recorded bound', 'sbf_core/silver/tables.py', 'v.recorded_at <= recorded_until', 'true', 'tests/silver'),
    ('late context', 'sbf_core/runner/promote_stage.py', 'promotion.promote(batch, context=list(younger.values()), looked=looked)', 'promotion.promote(batch, context=[], looked=looked)', 'tests/silver tests/properties'),
    ('late order', 'sbf_core/silver/merge.py', 'ORDER BY v.known_from, {cut_last}v.recorded_at', 'ORDER BY v.recorded_at, {cut_last}v.known_from', 'tests/silver tests/properties'),
    ('history kept', 'sbf_core/silver/merge.py', '"FROM {current} AS t JOIN delta', '"FROM {current} AS t JOIN (FROM delta LIMIT 0)', 'tests/silver'),
    ('snapshot closes', 'sbf_core/silver/promotion.py', '        close_vanished(conn, entry)', '        pass', 'tests/silver'),
    ('watermark', 'sbf_core/ops/repo.py', 'coverage_to = greatest(w.coverage_to, p.coverage_to)', 'coverage_to = w.coverage_to', 'tests/silver'),
    ('reject recorded', 'sbf_core/ops/service.py', '        self._repo.insert_rejects(conn, entry.silver_table, rejects)\n', '', 'tests/silver'),
    ('gold tests', 'sbf_core/gold/build.py', '        if failed:', '        if False:', 'tests/gold'),
    ('gold order', 'sbf_core/gold/order.py', 'return [by_name[name] for name in names]', 'return list(models)', 'tests/gold'),
    ('gold delete', 'sbf_core/gold/build.py', '    if gone:', '    if False:', 'tests/gold'),
    ('subset call', 'sbf_core/plugin/manager.py', '!= record.name]', '== record.name]', 'tests/plugin'),
    ('plugin raise', 'sbf_core/plugin/manager.py', '        except BaseException as error:  # a plugin may raise', '        except ZeroDivisionError as error:  # a plugin may raise', 'tests/plugin'),
    ('twice owner', 'sbf_core/plugin/registry.py', '        if first is not None:', '        if False:', 'tests/plugin'),
    ('newer schema', 'sbf_core/duck/bootstrap.py', 'version > latest_version():', 'version > 1000:', 'tests/duck'),
    ('hardened', 'sbf_core/duck/harden.py', 'SET enable_external_access = false; ', '', 'tests/duck tests/cli'),
    ('sql one stmt', 'sbf_core/facts/question.py', '    if len(statements) != 1:', '    if False:', 'tests/cli'),
    ('secrets in address', 'sbf_core/http/vendor_session.py', 'asked = _Asked(request=request, address=url, extension', 'asked = _Asked(request=request, address=_with_parameters(url, self._revealed(secrets or {})), extension', 'tests/http'),
    ('retry', 'sbf_core/http/attempts.py', '        if answer.status_code not in AGAIN_STATUSES:', '        if True:', 'tests/http'),
    ('data date', 'sbf_core/ops/service.py', 'for fetch in other if fetch.error is None]', 'for fetch in other]', 'tests/ops'),
    ('adoption', 'sbf_core/trust/recovery.py', 'missing = _adopt(ops, config, (row', 'missing: list[str] = []\n    list((row', 'tests/crash/test_damage.py'),
    ('due', 'sbf_core/plan/planner.py', '    if hours < interval:', '    if hours <= interval:', 'tests/plan'),
    ('window gap', 'sbf_core/plan/planner.py', 'days=1 - entry.lookback_days', 'days=2 - entry.lookback_days', 'tests/plan'),
    ('replay twice', 'sbf_core/runner/replay.py', 'due = not all(', 'due = True or not all(', 'tests/plugins'),
    ('model: as_of includes the end', 'sbf_core/silver/tables.py', 'known_to > ts AND NOT', 'known_to >= ts AND NOT', 'tests/properties/test_machine.py'),
    ('model: as_of excludes the start', 'sbf_core/silver/tables.py', 'WHERE c.known_from <= ts UNION', 'WHERE c.known_from < ts UNION', 'tests/properties/test_machine.py'),
    ('model: commit split in two', 'sbf_core/silver/promotion.py', '            make_promoted(conn, self._entry, rows', '            conn.execute("COMMIT; BEGIN")\n            make_promoted(conn, self._entry, rows', 'tests/properties/test_machine.py'),
    ('model: no dedup', 'sbf_core/silver/judging.py', '    if not number_of(conn, "SELECT count(*) FROM twice"):\n        return', '    return', 'tests/properties/test_machine.py'),
    ('model: late by arrival', 'sbf_core/silver/merge.py', 'ORDER BY v.known_from, {cut_last}v.recorded_at', 'ORDER BY v.recorded_at DESC, {cut_last}v.known_from', 'tests/properties/test_machine.py'),
    ('model: late snapshot on top', 'sbf_core/runner/promote_stage.py', 'if late and (entry.closes_rows or entry.semantics is not Semantics.UPSERT):', 'if False:', 'tests/crash/test_migrations.py -k comes_late'),
    ('model: deletion forgotten at re-adding', 'sbf_core/silver/merge.py', '"WHERE d._old_known_from IS NULL"', '"WHERE false"', 'tests/properties/test_machine.py'),
    ('model: history lost', 'sbf_core/silver/merge.py', '"FROM {current} AS t JOIN delta', '"FROM {current} AS t JOIN (FROM delta LIMIT 0)', 'tests/properties/test_machine.py'),
    ('model: snapshot closes nothing', 'sbf_core/silver/promotion.py', '        close_vanished(conn, entry)', '        pass', 'tests/properties/test_machine.py'),
    ('model: append takes the last', 'sbf_core/silver/judging.py', 'ORDER BY w.recorded_at, w._id) = 1', 'ORDER BY w.recorded_at DESC, w._id DESC) = 1', 'tests/properties/test_machine.py'),
    ('model: recorded bound ignored', 'sbf_core/silver/tables.py', 'v.recorded_at <= recorded_until', 'true', 'tests/properties/test_machine.py'),
    ('model: equal values are versions', 'sbf_core/silver/merge.py', 'f"WHERE p.known_from IS NULL OR NOT {same}"', '"WHERE true"', 'tests/properties/test_machine.py'),
    ('local time', 'sbf_core/clock.py', 'return moment.astimezone(dt.UTC).replace(tzinfo=None)', 'return moment.astimezone().replace(tzinfo=None)', 'tests/test_clock.py'),
    ('orphans moved', 'sbf_core/trust/recovery.py', '            reason = QuarantineReason.ORPHAN\n', '            continue\n', 'tests/crash/test_kills.py -k bronze.renamed-replay'),
    ('half files moved', 'sbf_core/trust/recovery.py', '            reason = QuarantineReason.HALF_WRITTEN\n', '            continue\n', 'tests/crash/test_damage.py'),
    ('torn journal mended', 'sbf_core/trust/recovery.py', '    for path in concerned if ours else ():\n', '    for path in ():\n', 'tests/crash/test_kills.py -k journal.half-replay'),
    ('journal before manifest', 'sbf_core/bronze/file_writer.py', '            self._journal(fresh)\n', '', 'tests/crash/test_damage.py'),
    ('new database whole', 'sbf_core/duck/bootstrap.py', 'if not self.read_only and not self.database.exists():', 'if False:', 'tests/crash/test_disk.py -k cannot_grow'),
    ('recovery is recorded last', 'sbf_core/trust/recovery.py', '    fault_point("recover.start")\n', '    ops.recovery.record_recovery([RecoveredRun(run_id=run_id) for run_id in unclean], files_quarantined=0)\n    fault_point("recover.start")\n', 'tests/crash/test_kills.py -k recovering'),
    ('verify: bytes', 'sbf_core/trust/files.py', 'if found_hash != payload_hash:', 'if False:', 'tests/crash/test_damage.py'),
    ('verify: links', 'sbf_core/trust/files.py', 'if entry.is_file(follow_symlinks=False):', 'if True:', 'tests/crash/test_damage.py'),
    ('verify: unknown files', 'sbf_core/trust/files.py', '            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=path', '            (Finding(kind=FindingKind.FILE_UNKNOWN, subject=path', 'tests/crash/test_damage.py'),
    ('verify: records', 'sbf_core/trust/records.py', '                if different:', '                if False:', 'tests/crash/test_damage.py'),
    ('verify: rows', 'sbf_core/trust/tables.py', '    if not different:', '    if True:', 'tests/crash/test_damage.py'),
    ('verify: watermarks', 'sbf_core/trust/ledger.py', 'WHERE s.coverage_to IS DISTINCT FROM w.coverage_to OR', 'WHERE false AND s.coverage_to IS DISTINCT FROM w.coverage_to AND', 'tests/crash/test_damage.py'),
    ('repair: nothing emptied', 'sbf_core/silver/promotion.py', 'if self._needs_all and isinstance(error, DamageFound):', 'if False:', 'tests/crash/test_damage.py'),
    ('repair: moved, not deleted', 'sbf_core/bronze/quarantine.py', '        path.rename(target)\n', '        path.unlink()\n', 'tests/crash/test_damage.py'),
    ('rebuild: old database kept', 'sbf_core/duck/set_aside.py', '                _keep(database, target)', '                pass', 'tests/crash/test_damage.py'),
    ('rebuild: bronze untouched', 'sbf_core/trust/recovery.py', '    ours = config.bronze_folder is None', '    ours = True', 'tests/crash/test_damage.py -k elsewhere'),
    ('backup: journals first', 'sbf_core/trust/backup.py', 'for path in journal_files(config.bronze)}', 'for path in journal_files(config.bronze)[:1]}', 'tests/crash/test_damage.py'),
    ('readers: stale copy', 'sbf_core/duck/publish.py', 'is_current=whole and facts["database"] == state', 'is_current=whole', 'tests/crash/test_locks.py -k readers'),
    ('readers: always a copy', 'sbf_core/runner/publish_stage.py', 'return rows_changed or', 'return False and', 'tests/crash/test_locks.py -k readers'),
    ('readers: views of one moment', 'sbf_core/duck/publish_tables.py', 'before = known.file if known is not None else ""', 'before=""', 'tests/duck/test_publish_tables.py'),
    ('readers: only what changed', 'sbf_core/duck/publish_tables.py', 'if known is not None and known.version == version:', 'if False:', 'tests/duck/test_publish_tables.py'),
    ('readers: nothing unwanted', 'sbf_core/runner/publish_stage.py', 'if how == "no" or', 'if', 'tests/duck/test_publish_tables.py'),
    ('pages: any host', 'sbf_core/web/security.py', 'hosts[0].lower() not in self._hosts', 'not hosts[0]', 'tests/web/test_pages.py -k host'),
    ('pages: any method', 'sbf_core/web/security.py', 'if scope["method"] not in ("GET", "HEAD"):', 'if False:', 'tests/web/test_pages.py -k changed'),
    ('pages: any site', 'sbf_core/web/security.py', 'if site not in _OWN and scope["path"]', 'if False and scope["path"]', 'tests/web/test_pages.py -k site'),
    ('pages: scripts anywhere', 'sbf_core/web/security.py', "script-src 'self'", "script-src 'self' 'unsafe-inline'", 'tests/web/test_pages.py -k headers'),
    ('pages: nothing escaped', 'sbf_core/web/rendering.py', 'autoescape=True', 'autoescape=False', 'tests/web/test_pages.py -k vendor_writes'),
    ('pages: raw control characters', 'sbf_core/web/grid.py', 'text = printable(value.hex() if isinstance(value, bytes) else str(value))', 'text = str(value)', 'tests/web/test_pages.py -k vendor_writes'),
    ('pages: the database itself', 'sbf_core/web/door.py', '        copy = current_publication(self.config)\n        if', '        copy = None\n        if', 'tests/web/test_pages.py -k all_the_time'),
    ('pages: an old copy for ever', 'sbf_core/web/door.py', 'if held is None or held.state != state:', 'if held is None:', 'tests/web/test_pages.py -k run_before'),
    ('pages: closed under a reader', 'sbf_core/web/door.py', 'if self.is_old and not self.readers:', 'if self.is_old:', 'tests/web/test_pages.py -k all_the_time'),
    ('pages: rows of today', 'sbf_core/facts/rows.py', 'if wanted.as_of is not None:', 'if False:', 'tests/web/test_pages.py -k known_on_a_day'),
    ('pages: formulas', 'sbf_core/web/spreadsheet.py', 'value.startswith(_FORMULA)', 'False', 'tests/web/test_pages.py -k spreadsheet'),
    ('questions: keys along', 'sbf_core/web/questions.py', 'for name in _VARIABLES if name in os.environ', 'for name in os.environ', 'tests/web/test_questions.py -k keys'),
    ('questions: for ever', 'sbf_core/web/questions.py', '_within(self._seconds_max, process', '_within(60, process', 'tests/web/test_questions.py -k sleeps'),
    ('questions: anything', 'sbf_core/facts/question.py', 'if statements[0].type not in _ALLOWED:', 'if False:', 'tests/web/test_questions.py -k no_question'),
    ('charts: peaks lost', 'sbf_core/drawing/rows.py', 'unnest([first, smallest, largest, last])', 'unnest([first, last])', 'tests/drawing/test_rows.py -k thinned'),
    ('charts: ends lost', 'sbf_core/drawing/rows.py', 'unnest([first, smallest, largest, last])', 'unnest([smallest, largest])', 'tests/drawing/test_rows.py -k thinned'),
    ('charts: too many points', 'sbf_core/drawing/rows.py', 'POINTS_MAX // (4 * len(series))', 'POINTS_MAX // len(series)', 'tests/drawing/test_rows.py -k thinned'),
    ('charts: another picture each time', 'sbf_core/drawing/rows.py', 'min_by(point, {y: y, p: p}) AS smallest', 'min_by(point, random()) AS smallest', 'tests/drawing/test_rows.py -k "same_rows or thinned"'),
    ('charts: weekends', 'sbf_core/drawing/placing.py', 'XKind.SESSIONS if known.chart.sessions else XKind.TIME', 'XKind.TIME', 'tests/drawing/test_rows.py -k sessions'),
    ('charts: infinite in silence', 'sbf_core/drawing/rows.py', 'return [f"{left_out:,} values are', 'return [] and [f"{left_out:,} values are', 'tests/drawing/test_rows.py -k cannot_be_drawn'),
    ('charts: of today', 'sbf_core/drawing/source.py', 'if view.as_of is not None:', 'if False:', 'tests/drawing/test_rows.py tests/web/test_charts.py -k known'),
    ('charts: the last day left out', 'sbf_core/drawing/source.py', 'x < CAST(? AS DATE) + INTERVAL 1 DAY', 'x < CAST(? AS DATE)', 'tests/drawing/test_rows.py -k both_of_its_days'),
    ('charts: pointer beside the mark', 'sbf_core/drawing/stops.py', '(frame.left + share * frame.width)', '(share * frame.whole_width)', 'tests/drawing/test_pictures.py -k pointer'),
    ('charts: pointer upside down', 'sbf_core/drawing/stops.py', '(1 - axis_of.share(mark["y"]))', 'axis_of.share(mark["y"])', 'tests/drawing/test_pictures.py -k pointer'),
    ('charts: colour alone', 'sbf_core/drawing/marks.py', 'return {channel: colour, "strokeDash": dash}', 'return {channel: colour}', 'tests/drawing/test_pictures.py -k dashes'),
    ('charts: filled candles', 'sbf_core/drawing/marks.py', '"fill": palette.ground if rises else palette.down', '"fill": palette.up if rises else palette.down', 'tests/drawing/test_pictures.py -k hollow'),
    ('charts: fetching', 'sbf_core/dataset/chart.py', 'if fetching is not None:', 'if False:', 'tests/drawing/test_pictures.py -k fetches'),
    ('charts: raw control characters', 'sbf_core/drawing/vega.py', 'known[part] = printable(part)', 'known[part] = part', 'tests/web/test_charts.py -k vendor_writes'),
    ('charts: for ever', 'sbf_core/drawing/studio.py', 'too_long.start()', 'pass', 'tests/drawing/test_pictures.py -k never_ends'),
    ('charts: keys along', 'sbf_core/web/site.py', 'Studio(bare_environment())', 'Studio(dict(__import__("os").environ))', 'tests/web/test_charts.py -k keys'),
    ('charts: a process that grows', 'sbf_core/drawing/studio.py', 'if grown and self._drawn > 1:', 'if False:', 'tests/drawing/test_pictures.py -k grown'),
    ('pages: no room', 'sbf_core/web/app.py', 'if was_roomy:', 'if True:', 'tests/web/test_pages.py -k more_memory'),
    ('status: plugins that are gone', 'sbf_core/facts/overview.py', 'left = sorted(set(bronze) - {name for entry in declared for name in entry.ids})', 'left: list[str] = []', 'tests/facts/test_facts.py -k gone'),
    ('vintages: the first counts', 'sbf_core/ops/repo.py', 'sorted(dates, key=lambda one: one[2])', 'list(dates)', 'tests/ops -k latest'),
    ('explain: any row', 'sbf_core/facts/place.py', "if not _same(one, row.texts[name], key[one.name]):", 'if False:', 'tests/facts/test_lineage.py'),
    ('explain: the first of several', 'sbf_core/facts/place.py', 'if len(found) != 1:', 'if not found:', 'tests/facts/test_lineage.py'),
    ('impact: one floor', 'sbf_core/facts/models.py', '        reached |= more\n', '        break\n', 'tests/facts/test_lineage.py -k through'),
    ('live: a dead run works on', 'sbf_core/runs/live.py', '.total_seconds() > SILENT_SECONDS_MAX', '.total_seconds() > 10**9', 'tests/runner/test_run_progress.py tests/web/test_pages.py -k "work or tells"'),
    ('stopped twice', 'sbf_core/signals.py', 'is_reminder):\n        _exit(128 + number)\n', 'is_reminder):\n        return\n', 'tests/crash/test_locks.py -k twice'),
    ('disk faults', 'sbf_core/duck/engine_errors.py', 'any(known in text for known in _TEXTS)', 'False', 'tests/crash/test_disk.py tests/duck/test_engine_errors.py'),
    ('full disk is no bad payload', 'sbf_core/payload/unpack.py', '        if not is_inputs_fault(error):', '        if False:', 'tests/crash/test_disk.py -k unpacked'),
    ('keys in the ledger', 'sbf_core/ops/bulk.py', '    return redacted(text)', '    return text', 'tests/crash/test_secrets.py -k canary'),
    ('keys in lines', 'sbf_core/errors.py', 'flat = redacted(text)', 'flat = (text)', 'tests/crash/test_secrets.py tests/settings'),
    ('keys in logs', 'sbf_core/cli/run.py', 'return redacted(super().format(record))', 'return super().format(record)', 'tests/settings'),
    ('key file modes', 'sbf_core/settings/keys.py', 'facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO)', 'False', 'tests/settings'),
    ("keys in a plugin's process", 'sbf_core/plugin/isolation.py', 'if name not in hidden}', '}', 'tests/plugin'),
    ('hung plugin', 'sbf_core/plugin/isolation.py', 'message = self._messages.get(timeout=seconds_max)', 'message = self._messages.get(timeout=600)', 'tests/plugin -k hangs'),
    ('values only', 'sbf_core/plugin/channel.py', '        if name in _ALLOWED.get(module, ()):', '        if True:', 'tests/plugin'),
    ('watched hooks', 'sbf_core/plugin/watch.py', '        return self._last != before + 1', '        return False', 'tests/plugin'),
    ("plugin's interrupt", 'sbf_core/signals.py', '        return _Asked.number != 0', '        return True', 'tests/plugin'),
    ('extension', 'sbf_core/runs/result.py', 'not _EXTENSION.fullmatch(value)', 'False', 'tests/plugin'),
    ('other request', 'sbf_core/runner/fetch_answers.py', 'if any(result.request != request for result in results):', 'if False:', 'tests/plugin'),
    ('modes', 'sbf_core/cli/main.py', '    os.umask(signals.OWNER_ALONE)', '    os.umask(0o022)', 'tests/crash/test_migrations.py -k look'),
    ('migration backed up', 'sbf_core/duck/bootstrap.py', '            self._back_up(version)\n', '', 'tests/crash/test_migrations.py -k migration'),
    ('first run wins', 'sbf_core/duck/create.py', '            os.link(fresh, database)\n            return', '            fresh.rename(database)\n            return', 'tests/crash/test_locks.py'),
    ('names outlast a power cut', 'sbf_core/bronze/file_writer.py', 'self._named_folders.update(make_folder(f"{self._root}/{above}"))', 'make_folder(f"{self._root}/{above}")', 'tests/crash/test_power.py'),
    ('journal outlasts a power cut', 'sbf_core/bronze/journal.py', '        if durable:\n            sync_all([self.path.parent, *named])', '', 'tests/crash/test_power.py'),
    ('bytes before name', 'sbf_core/bronze/file_writer.py', '            self._sync_files([item.temp_path for item in staged])', '            pass', 'tests/crash/test_power.py'),
    ('fetch is watched', 'sbf_core/runner/fetch_stage.py', 'if self._watch is not None and self._watch.used():', 'if False:', 'tests/plugin'),
    ('backup begun', 'sbf_core/trust/backup.py', 'all(path.name == begun for path in folder.iterdir())', 'not any(folder.iterdir())', 'tests/crash/test_disk.py -k caring'),
    ('http: deadline', 'sbf_core/http/wire.py', 'asyncio.timeout_at(deadline)', 'asyncio.timeout_at(deadline + 90)', 'tests/http/test_faults.py -k H18'),
    ('http: wire cap', 'sbf_core/http/coding.py', '        if self.wire_bytes > self._caps.wire_bytes:', '        if False:', 'tests/http'),
    ('http: bomb', 'sbf_core/http/coding.py', '        if self.decoded_bytes > FREE_BYTES and self.decoded_bytes > RATIO_MAX * self.wire_bytes:', '        if False:', 'tests/http'),
    ('http: cut gzip', 'sbf_core/http/coding.py', '        if self.wire_bytes and not self._gzip.eof:', '        if False:', 'tests/http'),
    ('http: extra bytes', 'sbf_core/http/coding.py', '        if self._gzip.unused_data:', '        if False:', 'tests/http'),
    ('http: redirect host', 'sbf_core/http/redirects.py', '    if host != was.hostname and host not in hosts:', '    if False:', 'tests/http'),
    ('http: redirect rebound', 'sbf_core/http/names.py', 'if self._public_only and not is_public', 'if False and not is_public', 'tests/http'),
    ('http: redirect with key', 'sbf_core/http/redirects.py', '    if here.number >= HOPS_MAX:', '    if False:', 'tests/http'),
    ('http: breaker', 'sbf_core/http/vendor.py', '            if self._failures < self._failures_max:', '            if True:', 'tests/http'),
    ('http: retry after', 'sbf_core/http/attempts.py', 'if wait is not None and wait > min(', 'if False and wait > min(', 'tests/http'),
    ('http: html page', 'sbf_core/http/content.py', "if extension not in (\"html\", \"txt\") and _HTML.match(body[:2048]):", 'if False:', 'tests/http'),
    ('http: error note', 'sbf_core/http/content.py', '    if note:', '    if False:', 'tests/http'),
    ('http: empty', 'sbf_core/http/content.py', '    return None if entry.is_data.may_be_empty else', '    return None if True else', 'tests/http'),
    ('http: cut json', 'sbf_core/http/content.py', '    if len(body) > _NOTE_BYTES_MAX and not may_be_cut:', '    if True:', 'tests/http'),
    ('http: certificate', 'sbf_core/http/wire.py', 'trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)', 'trusted = ssl._create_unverified_context()', 'tests/http'),
    ('http: limits over processes', 'sbf_core/http/rates.py', '            self._connection.execute("BEGIN IMMEDIATE")  # another', '            pass  # another', 'tests/plan'),
    ('http: names left behind', 'sbf_core/http/names.py', 'threading.Thread(target=look_up, name="sbf-names", daemon=True).start()', 'await asyncio.to_thread(look_up)', 'tests/http/test_loop.py'),
    ('http: large ones beside the loop', 'sbf_core/http/vendor_session.py', 'await asyncio.to_thread(looked_at)', 'looked_at()', 'tests/http/test_loop.py'),
    ('http: closing ends requests', 'sbf_core/http/loop.py', '        task.cancel()', '        pass', 'tests/http/test_loop.py'),
    ('http: one number of connections', 'sbf_core/runner/fetch_workers.py', 'by_vendor[item.entry.source].append(item)', 'by_vendor[item.entry.source + " " * self._fetcher.asks_in_loop(item)].append(item)', 'tests/http/test_loop.py'),
    ('batches: overtaken', 'sbf_core/ops/queries.py', '        if key not in overtaken:', '        if True:', 'tests/plan/test_batches.py'),
    ('batches: overtaken marks', 'sbf_core/ops/queries.py', 'for key, address, etag, modified in rows if key not in overtaken}', 'for key, address, etag, modified in rows}', 'tests/plan/test_batches.py'),
    ('batches: the later state', 'sbf_core/plan/batches.py', '_both(found[series], state) if series in found else state', 'state', 'tests/plan/test_batches.py'),
    ('batches: late ones', 'sbf_core/runner/promote_stage.py', 'any_ticker=batched', 'any_ticker=False', 'tests/plan/test_batches.py'),
    ('batches: the same days only', 'sbf_core/plan/batches.py', 'tuple((step.from_date, step.to_date) for step in item.steps)', 'len(item.steps)', 'tests/plan/test_batches.py'),
    ('batches: short folders', 'sbf_core/bronze/paths.py', '    if not others:', '    if True:', 'tests/plan/test_batches.py'),
    ('select: datasets', 'sbf_core/runner/selection.py', 'if owned.entry.id in found]', 'if True]', 'tests/runner/test_selection.py'),
    ('select: exclude', 'sbf_core/runner/selection.py', 'for record in manager.selected(names) if record.name not in out]', 'for record in manager.selected(names)]', 'tests/runner/test_selection.py'),
    ('select: nothing meant', 'sbf_core/runner/selection.py', '        if not meant:', '        if False:', 'tests/runner/test_selection.py'),
    ('library: reads only', 'sbf_core/library.py', 'return bootstrap.handed_over()', 'import duckdb; return duckdb.connect(str(bootstrap.config.database))', 'tests/runner/test_library.py'),
    ('library: unknown setting', 'sbf_core/library.py', '    if stray is not None:', '    if False:', 'tests/runner/test_library.py'),
    ('library: a copy lacks rows', 'sbf_core/runner/runner.py', 'rows_changed=changed)', 'rows_changed=False)', 'tests/runner/test_library.py'),
    ('library: nothing to do', 'sbf_core/duck/bootstrap.py', '            if self._copy_had_all_rows and not rows_changed:', '            if False:', 'tests/runner/test_library.py'),
    ('http: conditional', 'sbf_core/http/live.py', '(("if-none-match", etag), ("if-modified-since", modified)) if value}', '()}', 'tests/http'),
    ('pages: loop', 'sbf_core/http/pages.py', '            if here in asked:', '            if False:', 'tests/http/test_pages.py'),
    ('pages: repeat', 'sbf_core/http/pages.py', '            if digest in digests:', '            if False:', 'tests/http/test_pages.py'),
    ('pages: total', 'sbf_core/http/pages.py', '        if self.stated is not None and self.stated != self.counted:', '        if False:', 'tests/http/test_pages.py'),
    ('pages: total nobody says', 'sbf_core/http/pages.py', '        if self.stated is None and (', '        if False and (', 'tests/http/test_pages.py'),
    ('pages: host', 'sbf_core/http/pages.py', 'if parts.hostname not in self.hosts or', 'if', 'tests/http/test_pages.py'),
    ('pages: a short page ends', 'sbf_core/http/pages.py', 'elif pages.short_page_ends and count < pages.size:', 'elif count < pages.size:', 'tests/http/test_pages.py'),
    ('pages: next number is believed', 'sbf_core/http/pages.py', '            if _whole_number(told) != follows:', '            if False:', 'tests/http/test_pages.py'),
    ('pages: rows elsewhere are none', 'sbf_core/http/pages.py', '            return 0  # how some vendors say that there are none\n        raise', '            return 0  # how some vendors say that there are none\n        return 0', 'tests/http/test_pages.py'),
    ('pages: what is counted', 'sbf_core/http/pages.py', 'self.items_at or self.entry.rows_at', 'self.entry.rows_at', 'tests/http/test_pages.py'),
    ('links: one header', 'sbf_core/http/wire.py', '            if "link" in told:', '            if False:', 'tests/http/test_pages.py'),
    ('links: of another page', 'sbf_core/http/link_header.py', ' and link.context == base}', '}', 'tests/http/test_link_header.py'),
    ('links: last rel counts', 'sbf_core/http/link_header.py', 'parameters.setdefault(found[1].lower(), value)', 'parameters.update({found[1].lower(): value})', 'tests/http/test_link_header.py'),
    ('links: damage is the end', 'sbf_core/http/link_header.py', '            raise ValueError(f"no link at {header[place : place + 40]!r}")', '            return', 'tests/http/test_link_header.py'),
    ('pages: all or none', 'sbf_core/bronze/journal.py', '            if place is None or not 0 < place[0] < place[1]:', '            if True:', 'tests/bronze'),
    ('row cap', 'sbf_core/http/recipe_walk.py', '        if longest < self.recipe.rows_max:', '        if True:', 'tests/http'),
    ('no gap in a chain', 'sbf_core/runner/fetch_workers.py', '                if not answer.came:', '                if False:', 'tests/runner'),
    ('back-fill goes on', 'sbf_core/plan/planner.py', 'not in done)', 'not in ())', 'tests/runner'),
    ('snapshot shrank', 'sbf_core/silver/vanished.py', 'AND g.n > ? * b.n', 'AND g.n > 99 + ? * b.n', 'tests/silver'),
    ('damage replaced', 'sbf_core/trust/replacing.py', '        if not config.holder.exists():', '        if True:', 'tests/crash/test_replacing.py'),
    ('damage without a crash', 'sbf_core/trust/replacing.py', '        if not config.holder.exists():', '        if False:', 'tests/crash/test_replacing.py'),
    ('log set aside too', 'sbf_core/trust/replacing.py', 'for path in (database.with_name(f"{database.name}.wal"), database):', 'for path in (database,):', 'tests/crash/test_replacing.py'),
    ('one replaces', 'sbf_core/trust/replacing.py', '    bootstrap.hold(wait_seconds=wait_seconds)', '    del wait_seconds; wait_seconds = 0.0', 'tests/crash/test_replacing.py'),
    ('copy looked at', 'sbf_core/trust/replacing.py', '    except SbfError:\n        return None\n    return copy', '    except SbfError:\n        return copy\n    return copy', 'tests/crash/test_replacing.py'),
    ('note of the crash stays', 'sbf_core/duck/bootstrap.py', '            if not self.read_only and not crashed:', '            if not self.read_only:', 'tests/crash/test_replacing.py'),
    ('one source a series', 'sbf_plugins/star/sql/fact_price_eod.sql', '    QUALIFY bars.source_rank = min(bars.source_rank) OVER (PARTITION BY bars.ticker)', '', 'tests/plugins/test_star.py'),
    ('open sessions out of gold', 'sbf_plugins/star/sources.py', 'WHERE is_final AND ', 'WHERE ', 'tests/plugins/test_star.py'),
    ('sources by rank', 'sbf_core/gold/model.py', 'if not source.table or source.table in filled]', 'if rank == 0]', 'tests/gold/test_gold.py'),
    ('folders known before found', 'sbf_core/bronze/file_writer.py', '(*folders, *above)', 'folders', 'tests/crash/test_power.py tests/bronze'),
    ('split seen', 'sbf_core/silver/promotion.py', '            self._ops.restated.mark(\n', '            (lambda *a, **k: None)(\n', 'tests/runner/test_restated.py'),
    ('split fetched again', 'sbf_core/plan/planner.py', '        return max(state.again_from, entry.first_date)', '        pass', 'tests/runner/test_restated.py'),
    ('fetched again whole', 'sbf_core/runner/runner.py', 'if item.again} & stage.whole)', 'if item.again})', 'tests/runner/test_restated.py'),
    ('fetched again once', 'sbf_core/silver/restatement.py', 'OR w.fetched_at >= c.changed_at)) GROUP', 'OR w.fetched_at >= c.changed_at) AND false) GROUP', 'tests/runner/test_restated.py'),
    ('what had not settled is no past', 'sbf_core/silver/restatement.py', 'AND a.asked_at >= {_settled(entry)} ', '', 'tests/runner/test_restated.py'),
    ('series fetched again within a budget', 'sbf_core/plan/planner.py', 'marked[max(most, 0) :]', '[]', 'tests/runner/test_restated.py'),
    ('answers lack nothing', 'sbf_core/silver/vanished.py', 'AND {_day(entry)} BETWEEN a.from_date AND a.to_date', '', 'tests/silver/test_vanished.py'),
    ('answers: day of another zone', 'sbf_core/silver/vanished.py', "    if column.type == \"DATE\":", '    if True:', 'tests/silver/test_vanished.py'),
    ('answers: rows of other tickers', 'sbf_core/silver/vanished.py', 'if is_of_all else "m.ticker = a.ticker"', 'if is_of_all else "true"', 'tests/silver/test_vanished.py'),
    ('answers: a part is an answer', 'sbf_core/silver/vanished.py', 'HAVING count(*) = greatest(b.parts, 1) AND', 'HAVING', 'tests/silver/test_vanished.py'),
    ('answers: empty ones close', 'sbf_core/silver/vanished.py', "'= 0' if are_empty else '> 0'", "'>= 0'", 'tests/silver/test_vanished.py'),
    ('answers: same days in one batch', 'sbf_core/runner/promotion_batches.py', 'or batch.meets(answer[0])', '', 'tests/silver/test_vanished.py'),
    ('answers: rejected rows vanish', 'sbf_core/silver/vanished.py', '_answered_rows(conn, entry, _not_listed(entry))', '_answered_rows(conn, entry, _not_listed(entry, "s._reason IS NULL"))', 'tests/silver/test_vanished.py'),
    ('answers: nobody tells', 'sbf_core/dataset/entry.py', 'return is_unsaid and self.is_asked_since', 'return False and self.is_asked_since', 'tests/silver/test_vanished.py'),
    ('answers: late ones are promoted on top', 'sbf_core/runner/promote_stage.py', 'if late and (entry.closes_rows or', 'if late and (', 'tests/silver/test_vanished.py'),
    ('answers: fewer parts are unchanged', 'sbf_core/runner/fetch_answers.py', ' and max(self._parts.get((request.key, ""), 0), 1) == parts', '', 'tests/runner/test_several_answers.py'),
    ('answers: files once', 'sbf_core/runner/fetch_answers.py', '        if has_documents:', '        if False:', 'tests/runner/test_several_answers.py'),
    ('final: some parts are enough', 'sbf_core/ops/coverage.py', 'WHERE m.parts = 0 OR {answer} NOT IN (FROM lacking)', '', 'tests/runner/test_several_answers.py'),
    ('coverage: empty days are final', 'sbf_core/facts/coverage.py', 'yield from _each(left_of(each, rows), Covered.EMPTY)', 'yield from _each(left_of(each, rows), Covered.FINAL)', 'tests/facts/test_coverage.py'),
    ('coverage: what is held was answered', 'sbf_core/ops/coverage.py', "WHERE p.status IN ('failed', 'held')", "WHERE p.status IN ('failed')", 'tests/facts/test_coverage.py'),
    ('two answers at one moment', 'sbf_core/bronze/file_writer.py', 'if self._names.setdefault(path, answer) == answer:', 'if True:', 'tests/bronze'),
    ('days off', 'sbf_core/plan/planner.py', '    if news is not None and state.checked_at >= news[1]:', '    if False:', 'tests/plan'),
    ('the morning after', 'sbf_core/plan/sessions.py', 'dt.timedelta(days=1, hours=12)', 'dt.timedelta(hours=0)', 'tests/plan'),
    ('seasons', 'sbf_core/plan/planner.py', '    if entry.cadence.in_season(now.date()):', '    if True:', 'tests/plan'),
    ('calendar before writing', 'sbf_core/runner/runner.py', '        self.datasets = sound_datasets(self.datasets, self._faults)', '        pass', 'tests/plan'),
    ('come back later kept', 'sbf_core/http/vendor_session.py', '        if closed:', '        if False:', 'tests/http/test_faults.py'),
    ('come back later outlasts a run', 'sbf_core/http/closures.py', '            if self._path is not None:', '            if False:', 'tests/http/test_faults.py'),
    ('names of tickers', 'sbf_core/http/recipe_walk.py', '    if names and ticker in names:', '    if False:', 'tests/http/test_pages.py'),
    ('named pages at home', 'sbf_core/http/pages.py', 'return self._allowed(self._named(result, document, number))', 'return self._named(result, document, number)', 'tests/http/test_pages.py'),
    ('nothing before usage', 'sbf_core/runner/runner.py', '        self._planning.check()  # before', '        pass  # before', 'tests/cli/test_bad_inputs.py'),
    ('rows for another payload', 'sbf_core/silver/staged_rows.py', 'FROM ({rows}) AS s LEFT JOIN "', 'FROM ({rows}) AS s JOIN "', 'tests/examples/test_packages.py'),
    ('sample of the package', 'sbf_core/runner/replay.py', '    if name == SAMPLE and options.plugins:', '    if False:', 'tests/scaffold/test_new.py'),
    ('first hook api', 'sbf_core/plugin/manager.py', '_check_api(getattr(module, "HOOK_API", hookspecs.HOOK_API_FIRST))', '_check_api(getattr(module, "HOOK_API", hookspecs.HOOK_API_SUPPORTED.start))', 'tests/plugin/test_evolution.py'),
    ('deprecations told', 'sbf_core/runner/planning.py', '        notes += [f"plugin {record.label}: {text}" for record in self._plugins for text in record.deprecated]\n', '', 'tests/plugin/test_evolution.py'),
    ('deprecated arguments', 'sbf_core/plugin/deprecations.py', '(not item.argument or item.argument in (*found.argnames, *found.kwargnames))', 'not item.argument', 'tests/plugin/test_evolution.py'),
    ('bounds that do not fit', 'sbf_core/plugin/bounds.py', '            if not fits or holds:', '            if holds:', 'tests/plugin/test_bounds.py'),
    ('who holds back', 'sbf_core/plugin/bounds.py', '            if not fits or holds:', '            if not fits:', 'tests/plugin/test_bounds.py'),
    ('kit: needless exemption', 'sbf_core/testing/kit.py', 'for pattern in ours if pattern not in used]', 'for pattern in ()]', 'tests/testing/test_kit.py'),
    ('kit: reasons', 'sbf_core/testing/kit.py', '        if not str(reason).strip():', '        if False:', 'tests/testing/test_kit.py'),
    ('kit: loggers excused', 'sbf_core/testing/watching.py', '        if module.startswith(_NOT_THEIRS) or', '        if', 'tests/testing/test_kit.py'),
    ('kit: garbage excused', 'sbf_core/testing/watching.py', ' or frame.f_code in collected:', ':', 'tests/testing/test_kit.py'),
    ('kit: clocks', 'sbf_core/testing/watching.py', 'if name in _NOW and', 'if False and', 'tests/testing/test_kit.py'),
    ('kit: network', 'sbf_core/testing/watching.py', '    if event in _NETWORK:', '    if False:', 'tests/testing/test_kit.py'),
    ('kit: order', 'sbf_core/testing/check_silver.py', '    for piece in reversed(subject.steps):', '    for piece in subject.steps:', 'tests/testing/test_kit.py'),
    ('kit: rebuild', 'sbf_core/testing/check_silver.py', '    rebuilt = home.rebuilt(subject.place("rebuilt"))', '    rebuilt = home', 'tests/testing/test_kit.py'),
    ('kit: revision made', 'sbf_core/testing/revise.py', 'text[:place] + _next(form) +', 'text[:place] + form +', 'tests/testing/test_kit.py'),
    ('kit: canary', 'sbf_core/testing/check_fetch.py', '            if any(CANARY in text', '            if False and any(CANARY in text', 'tests/testing/test_kit.py'),
    ('scaffold: key in an address', 'sbf_core/scaffold/address.py', '        if _SECRET.fullmatch(parameter) and value:', '        if False:', 'tests/scaffold'),
    ('scaffold: whole or not at all', 'sbf_core/scaffold/package.py', '        shutil.rmtree(draft, ignore_errors=True)', '        pass', 'tests/scaffold/test_new.py'),
    ('scaffold: unique key', 'sbf_core/scaffold/roles.py', '            if chosen and _double(rows, [column.source for column in chosen]) is None:', '            if chosen:', 'tests/scaffold/test_guess.py'),
    ('scaffold: doubts are marked', 'sbf_core/scaffold/code.py', '    return _MARK + "; ".join(doubts) if doubts else ""', '    return ""', 'tests/scaffold/test_new.py'),
    ('scaffold: taken names', 'sbf_core/scaffold/naming.py', '    if name in manager.records:', '    if False:', 'tests/scaffold/test_new.py'),
    *BREAKS_OF_READING,
    *BREAKS_OF_TABLES,
    *BREAKS_OF_CHANGES,
    *BREAKS_OF_THE_BORDER,
    *BREAKS_OF_THE_LOCK,
    *BREAKS_OF_WHAT_LIES_THERE,
    *BREAKS_OF_CHILDREN,
]


def copy_of_checkout(target: Path) -> None:
    """The tracked files."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)


def noticed(name: str, file: str, text: str, broken: str, tests: str, *, by: str = "") -> str | None:
    """The test that fails once ``text`` in ``file`` is ``broken``, None where none does; the test ``by`` is asked first."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_of_checkout(copy)
        path = copy / file
        before = path.read_text(encoding="utf-8")
        if text not in before:
            raise SystemExit(f"{name}: {text!r} is not in {file}; bring this list up to date")
        path.write_text(before.replace(text, broken, 1), encoding="utf-8")
        return (by and failing(copy, [by])) or failing(copy, [*shlex.split(tests), "-n", "auto"])


def failing(copy: Path, asked: list[str]) -> str | None:
    """The first test of a copy that fails; None where all pass, or there are none: what is not there notices nothing."""
    command = [sys.executable, "-m", "pytest", *asked, "-q", "-x", "-rfE", "-p", "no:cacheprovider"]
    # The reports of pytest are cut to the width of the terminal unless it is told that nobody looks.
    environment = {**os.environ, "PYTHONPATH": str(copy), "SBF_MACHINE_QUICK": "1", "CI": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode in (0, 4, 5):  # 4 and 5: nothing of that name
        return None
    found = _FAILED.search(done.stdout)
    return found.group(1) if found else " ".join(asked)  # nothing could be collected at all


def kept() -> dict[str, str]:
    """Which test noticed which break when it was broken last."""
    return json.loads(NOTICED_BY.read_text(encoding="utf-8")) if NOTICED_BY.exists() else {}


def keep(name: str, test: str) -> None:
    """Remember who noticed it, if that is one test and not a room."""
    facts = {**kept(), name: test} if "::" in test else kept()
    known = [entry[0] for entry in BREAKS]
    facts = {each: facts[each] for each in known if each in facts}
    NOTICED_BY.write_text(json.dumps(facts, indent=0) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    """Break what is named, or everything; 1 if something survived. ``--known`` skips the run that shows that the tests pass."""
    known, names = "--known" in names, [name for name in names if name != "--known"]
    strange = sorted(set(names) - {entry[0] for entry in BREAKS})
    if strange:  # else a slip of the pen would break everything, or nothing
        raise SystemExit(f"there is no break {strange[0]!r}")
    chosen = [entry for entry in BREAKS if not names or entry[0] in names]
    by = kept()
    asked = {room for entry in chosen for room in ([by[entry[0]]] if entry[0] in by else shlex.split(entry[4]))}
    rooms = " ".join(shlex.quote(room) for room in sorted(asked) if room.startswith("tests/"))
    if not known and noticed("nothing", "README.md", "# sbf", "# sbf", rooms):
        raise SystemExit("the tests fail although nothing was broken; mend that first")
    survived = 0
    for entry in chosen:
        caught = noticed(*entry, by=by.get(entry[0], ""))
        survived += not caught
        if caught and caught != by.get(entry[0]):
            keep(entry[0], caught)
        print(f"{'noticed ' if caught else 'SURVIVED'}  {entry[0]}", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
