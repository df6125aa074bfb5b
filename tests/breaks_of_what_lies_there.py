"""Breaks of the promises about files: what lies in a home is what was left there, once, or it is told."""

from __future__ import annotations

PUBLISHED, RECOVERY, FILES = "sbf_core/trust/published.py", "sbf_core/trust/recovery.py", "sbf_core/trust/files.py"

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_WHAT_LIES_THERE = [
    ("readers: the bytes of a table", PUBLISHED, "file_hash(path) == one.file_hash", "True", "tests/trust"),
    ("readers: the blocks of a copy", PUBLISHED, "        why = why_unreadable(config, path)\n", '        why = ""\n', "tests/trust"),
    ("readers: whose damage", PUBLISHED, "    why = why_unreadable(config, copy.path)\n", '    why = ""\n', "tests/trust"),
    ("readers: views lead here", PUBLISHED, "not in views[table]:", "in ():", "tests/trust"),
    ("readers: a moved home", "sbf_core/duck/publish_tables.py", "return not leads_to(recorded_tables(config).folder, config.published)", "return False", "tests/trust"),
    ("files that are not ours", "sbf_core/trust/home_files.py", "            yield path.name\n", "            pass\n", "tests/trust"),
    ("bytes behind the database", FILES, "        behind = body % sizes[0]", "        behind = 0", "tests/trust -k behind"),
    ("bytes behind the last block", FILES, "    behind = body - sizes[0] * sizes[1]", "    behind = -1", "tests/trust -k behind"),
    ("one record a payload", "sbf_core/ops/repairs.py", "if run_id != runs[file_id])", "if False)", "tests/crash/test_damage.py -k comes_again"),
    ("one record: first journal", RECOVERY, "        seen.update(row.rel_path for row in fresh[run_id])\n", "", "tests/crash/test_damage.py -k comes_again"),
    ("one record: believed", "sbf_core/trust/records.py", "                odd.add(line.path)\n", "", "tests/crash/test_damage.py -k comes_again tests/trust/test_records.py"),
    ("a damaged payload comes again", "sbf_core/bronze/file_writer.py", "            if _holds(final, item.payload_hash):", "            if True:", "tests/bronze"),
    ("a copied journal", RECOVERY, "if (original := run_of_copy(journals[run_id]))}", "if (original := \"\")}", "tests/crash/test_damage.py -k copied"),
    ("a copied journal is told", "sbf_core/trust/records.py", "if (run_id := run_of_copy(path))}", "if (run_id := \"\")}", "tests/crash/test_damage.py -k copied"),
    ("ended in order", "sbf_core/ops/recoveries.py", "AND content_length_bytes IS NULL))", "))", "tests/runner/test_ended_in_order.py"),
    ("ended by an error", "sbf_core/ops/recoveries.py", "OR (status = 'failed' AND content_length_bytes IS NULL))", ")", "tests/runner/test_ended_in_order.py"),
    ("parts are numbered by what is kept", "sbf_core/runner/fetch_answers.py", "        return [attrs.evolve(results[0], part=0, parts=0)]", "        return list(results)", "tests/runner/test_several_answers.py"),
    ("a torn set: its own lines alone", "sbf_core/bronze/journal.py", "        if place is None or place[0] != left or place[1:] != last[1:]:\n            return end\n", "", "tests/bronze"),
    ("a line is read back", "sbf_core/bronze/file_writer.py", "        checked(_line_of(staged))\n", "", "tests/bronze"),
    ("parts within parts", "sbf_core/runs/result.py", "        if not 0 <= self.part <= self.parts or (self.parts and not self.part):", "        if False:", "tests/bronze"),
    ("a payload and no payload", "sbf_core/runs/result.py", "        if self.payload and self.error is None and", "        if False and", "tests/bronze"),
    ("half a letter in an error", "sbf_core/errors.py", "    text = escaped(text)\n", "", "tests/test_errors.py"),
    ("half a letter in the ledger", "sbf_core/payload/model.py", "    return tuple(map(escaped, fields))", "    return tuple(fields)", "tests/runner/test_half_letters.py"),
    ("half a letter in a declaration", "sbf_core/dataset/entry.py", "        wrong = half_letter_in(self)", '        wrong = ""', "tests/runner/test_half_letters.py"),
    ("half a letter in a hook's row", "sbf_core/silver/parsing.py", "if value is not None and not is_unicode(value)", "if False", "tests/runner/test_half_letters.py"),
    ("half a letter in SQL", "sbf_core/silver/reading.py", "        if not is_unicode(value):", "        if False:", "tests/runner/test_half_letters.py"),
    ("half a letter in a page's token", "sbf_core/http/pages.py", "        if not is_unicode(str(token)):", "        if False:", "tests/http/test_pages.py -k letter"),
    ("the result beside a lack of memory", "sbf_core/cli/run.py", "        if runner.closed is not None:", "        if False:", "tests/examples/test_packages.py -k hostile"),
    ("no file of a user in the home", "sbf_core/duck/home_folder.py", "    if any(_is_same(above, folder)", "    if False and any(_is_same(above, folder)", "tests/trust/test_other_things.py"),
    ("the backup of another home", "sbf_core/trust/backup.py", "    if others:\n", "    if False:\n", "tests/trust/test_other_things.py"),
    ("only a file is read", "sbf_core/whole_file.py", "        if not stat.S_ISREG(facts.st_mode):\n            raise OSError(errno.EINVAL", "        if False:\n            raise OSError(errno.EINVAL", "tests/trust/test_other_things.py -k only_a_file"),
    ("a journal that is no file", "sbf_core/trust/restore.py", "if os.path.lexists(path) and not path.is_symlink() and not path.is_file():", "if False:", "tests/trust/test_other_things.py -k journal"),
    ("a home reached by a link", "sbf_core/duck/publish_tables.py", " or (bool(folder) and Path(folder).resolve() == published.resolve())", "", "tests/trust/test_other_things.py -k link"),
    ("infinity in an answer", "sbf_core/facts/question.py", "        told[place] = told[place] if text is None else text", "        pass", "tests/facts/test_question.py"),
    ("a month in an answer", "sbf_core/facts/question.py", 'f"CAST(#{place} AS VARCHAR)" if as_text else', 'f"#{place}" if as_text else', "tests/facts/test_question.py"),
    ("two columns of one name", "sbf_core/cli/query.py", "        if twice is not None:", "        if False:", "tests/cli/test_command_line.py -k three_forms"),
    ("a clock that went back", "sbf_core/runner/fetch_tally.py", "        if at is not None:\n            what = f\"its newest", "        if False:\n            what = f\"its newest", "tests/runner/test_runner.py -k clock"),
    ("a rebuild of a changed declaration", "sbf_core/trust/shrunk.py", "        if entry.id in changed and entry.silver_table in new:", "        if False:", "tests/silver/test_remake.py"),
]  # fmt: skip
