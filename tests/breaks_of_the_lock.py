"""Promises of the lock of the home, of a rebuild, of whose fault an error is and of restated series, broken on purpose. See break_promises.py."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_THE_LOCK = [
    ('lock: writers share it', 'sbf_core/file_lock.py', 'fcntl.LOCK_SH if shared else fcntl.LOCK_EX', 'fcntl.LOCK_SH', 'tests/test_file_lock.py'),
    ('lock: a forked child keeps it', 'sbf_core/file_lock.py', '    for lock in list(_held):', '    for lock in []:', 'tests/test_file_lock.py'),
    ('lock: a run needs none', 'sbf_core/duck/bootstrap.py', '        if self._needs_lock:', '        if self._needs_lock and self.read_only:', 'tests/runner/test_library.py'),
    ('lock: a reader needs none', 'sbf_core/duck/bootstrap.py', '        if self._needs_lock:', '        if self._needs_lock and not self.read_only:', 'tests/runner/test_library.py -k reader_keeps'),
    ('lock: a file that is open here is looked at', 'sbf_core/duck/bootstrap.py', 'and not is_open_here(self.database) and', 'and', 'tests/runner/test_library.py -k opened'),
    ('one instance is hardened once', 'sbf_core/duck/harden.py', '        if settled is not None and settled[0]:', '        if False:', 'tests/runner/test_library.py -k often'),
    ('the zone holds for every reader', 'sbf_core/duck/harden.py', 'SET GLOBAL TimeZone', 'SET TimeZone', 'tests/runner/test_library.py -k often'),
    ('rebuild: more is replaced by less', 'sbf_core/runner/rebuild.py', '            if lost:', '            if False:', 'tests/crash/test_damage.py -k less'),
    ('rebuild: readers keep the old copy', 'sbf_core/runner/rebuild.py', '        _publish(settings, config, context, clock=clock, lock=lock)', '        pass', 'tests/crash/test_damage.py -k less'),
    ('memory: kept as a judgement', 'sbf_core/duck/engine_errors.py', '        return EngineFault.MEMORY\n    if isinstance(error, EnvironmentFault)', '        return EngineFault.INPUT\n    if isinstance(error, EnvironmentFault)', 'tests/duck/test_engine_errors.py'),
    ('memory: other datasets wait', 'sbf_core/runner/promote_stage.py', '                if costs_only_its_own(error):', '                if False:', 'tests/runner/test_whose_fault.py'),
    ('memory: a process of a plugin blames the plugin', 'sbf_core/plugin/worker.py', 'OutOfMemory, PluginFault, UsageError)}', 'PluginFault, UsageError)}', 'tests/plugin/test_want_of_memory.py'),
    ('memory: a hook here blames the plugin', 'sbf_core/duck/disk.py', '        return OutOfMemory(raised', '        return PluginFault(raised', 'tests/plugin/test_want_of_memory.py'),
    ('memory: a request is on record as failed', 'sbf_core/runner/fetch_answers.py', '            if fault_of(error) is not EngineFault.MEMORY:\n                raise\n            return _lacking(request, error)\n\n    def', '            raise\n\n    def', 'tests/crash/test_fault_table.py -k run-fetch.answered-MemoryError'),
    ('rebuild: half a database elsewhere', 'sbf_core/runner/rebuild.py', '        return _replaced(settings, _elsewhere(config, into), runner, orphans, accept=True, clock=clock)', '        config = _elsewhere(config, into)\n        return Rebuilt(context=_run(runner(config=config), orphans), database=config.database)', 'tests/crash/test_fault_table.py -k "into and MemoryError"'),
    ('rebuild: rows of the log are left behind', 'sbf_core/duck/set_aside.py', '    _take_in_log(fresh)\n', '', 'tests/crash/test_rebuilding.py -k grow'),
    ('rebuild: a second name stays', 'sbf_core/duck/set_aside.py', '        if target is not None and not is_replaced:', '        if False:', 'tests/crash/test_rebuilding.py -k cannot_take'),
    ('rebuild: a second name of a killed one stays', 'sbf_core/duck/set_aside.py', '        _one_name(database, name)', '        pass', 'tests/crash/test_rebuilding.py -k killed'),
    ('an interrupted query is a bug', 'sbf_core/errors.py', ' or type(error).__name__ == "InterruptException"', '', 'tests/crash/test_fault_table.py tests/duck/test_engine_errors.py'),
    ('memory: the command ends well', 'sbf_core/runner/run_end.py', '        raise context.lacking[0]', '        pass', 'tests/plugin/test_want_of_memory.py'),
    ('a bug of the engine is the payload s', 'sbf_core/duck/engine_errors.py', '    return EngineFault.UNKNOWN', '    return EngineFault.INPUT', 'tests/duck/test_engine_errors.py'),
    ('repair: a smaller table takes the place', 'sbf_core/runner/remake_stage.py', '    if failed:\n', '    if False:\n', 'tests/runner/test_whose_fault.py'),
    ('restated: a run with a gap has it whole', 'sbf_core/silver/restatement.py', 'w.until >= c.day AND ', '', 'tests/plan/test_coverage_model.py'),
]  # fmt: skip
