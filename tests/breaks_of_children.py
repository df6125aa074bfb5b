"""Breaks of what sbf promises of the code and the processes of plugins, for ``break_promises.py``."""

from __future__ import annotations

#: name, file, text, what it is replaced by, tests that must fail
BREAKS_OF_CHILDREN = [
    ('children: only the first process ends', 'sbf_core/child/group.py', '                os.killpg(self._process.pid, signal.SIGKILL)', '                pass', 'tests/plugin/test_children.py -k started --timeout 60'),
    ('children: in our group', 'sbf_core/child/group.py', '{"start_new_session": True}', '{}', 'tests/plugin/test_children.py -k started --timeout 60'),
    ('children: a pipe is waited for', 'sbf_core/plugin/isolation.py', '        code = self._child.ended()\n        self._child.drain(_LAST_WORDS_SECONDS)', '        code = self._child.ended()\n        self._child.drain(3600)', 'tests/plugin/test_children.py -k nobody --timeout 60'),
    ('children: writing waits for ever', 'sbf_core/child/group.py', '            timer.start()', '            pass', 'tests/plugin/test_children.py -k not_read --timeout 60'),
    ('children: import without end', 'sbf_core/plugin/isolation.py', '        seconds = limits.import_seconds_max\n', '        seconds = 3600.0\n', 'tests/plugin/test_children.py -k import_that_hangs --timeout 60'),
    ('children: gold here', 'sbf_core/plugin/hook_call.py', '        if not self._isolation.applies_to(record):\n            options', '        if True:\n            options', 'tests/plugin/test_children.py -k build_gold_has --timeout 60'),
    ('children: classes of gold', 'sbf_core/plugin/worker.py', '[as_values(model) for model in models], wrong', 'list(models), wrong', 'tests/plugin/test_children.py -k same_from'),
    ('output: no cap', 'sbf_core/plugin/output.py', '        self._kept_bytes += len(text.encode()) + 1\n', '', 'tests/plugin/test_children.py -k cap'),
    ('output: all is shown', 'sbf_core/plugin/output.py', '        if self._shown <= LINES_SHOWN:', '        if True:', 'tests/plugin/test_children.py -k cap'),
    ('output: keys', 'sbf_core/plugin/output.py', 'shortened(printable(line.decode("utf-8", "replace").rstrip("\\r")))', 'line.decode("utf-8", "replace")', 'tests/plugin/test_children.py -k key'),
    ('output: grows for ever', 'sbf_core/plugin/output.py', '        path.replace(path.with_suffix(".log.1"))', '        pass', 'tests/plugin/test_children.py -k anew'),
    ('errors: whole texts', 'sbf_core/errors.py', '    if len(text) <= TEXT_CHARACTERS_MAX:\n        return text\n    text = redacted', '    if True:\n        return text\n    text = redacted', 'tests/test_errors.py'),
    ('errors: half a key', 'sbf_core/errors.py', '    text = redacted(text)  # half', '    text = str(text)  # half', 'tests/test_errors.py'),
    ('guard: hooks end sbf', 'sbf_core/plugin/guard.py', '    if _here.depth and os.getpid() == _own_pid:', '    if False:', 'tests/plugin/test_guard.py -k cannot_end_it'),
    ('guard: nobody ends', 'sbf_core/plugin/guard.py', '    if _here.depth and os.getpid() == _own_pid:', '    if True:', 'tests/plugin/test_guard.py -k other_threads'),
    ('guard: import without end', 'sbf_core/plugin/guard.py', '    signal.setitimer(signal.ITIMER_REAL, seconds_max, _AGAIN_SECONDS)', '    signal.setitimer(signal.ITIMER_REAL, 0)', 'tests/plugin/test_guard.py -k costs_its_own --timeout 60'),
    ('guard: no last resort', 'sbf_core/plugin/guard.py', '    _last_resort.watch(f"plugin {owner}: {what}", seconds_max)\n', '', 'tests/plugin/test_guard.py -k every_interruption --timeout 60'),
    ('guard: answers one by one', 'sbf_core/plugin/manager.py', 'return list(answer) if isinstance(answer, Iterator) else answer', 'return answer', 'tests/plugin/test_guard.py -k declarations'),
    ('leave: waits for threads', 'sbf_core/signals.py', '        if owner is None:\n', '        if True:\n            until = time.monotonic() + 3600\n', 'tests/plugin/test_guard.py -k plugin_left --timeout 60'),
    ('leave: waits for processes', 'sbf_core/signals.py', '        child.kill()', '        pass', 'tests/plugin/test_guard.py -k plugin_left --timeout 60'),
    ('leave: waits for the last', 'sbf_core/signals.py', '        last.start()', '        pass', 'tests/plugin/test_guard.py -k at_the_end --timeout 60'),
    ('gold: SQL without end', 'sbf_core/gold/time_limit.py', '        conn.interrupt()', '        pass', 'tests/gold/test_gold_time.py --timeout 30 --timeout-method thread'),
    ('gold: later SQL is stopped', 'sbf_core/gold/time_limit.py', '    if is_over.is_set():  # between two of them', '    if True:', 'tests/gold/test_gold_time.py'),
    ('sound: a calendar stops all', 'sbf_core/runner/sound.py', '        except UsageError as error:', '        except ZeroDivisionError as error:', 'tests/runner/test_sound.py'),
    ('sound: weekends are lost', 'sbf_core/plan/sessions.py', '    if lost:\n', '    if False:\n', 'tests/runner/test_sound.py'),
    ('sound: the library raises what it likes', 'sbf_core/plan/sessions.py', '    except Exception as error:  # with pandas 3', '    except ImportError as error:  # with pandas 3', 'tests/runner/test_sound.py'),
    ('sound: limits of others', 'sbf_core/runner/sound.py', '    if set(own) - set(known) and contradict(limits):', '    if contradict(own):', 'tests/runner/test_sound.py'),
    ('sound: a plugin stops all', 'sbf_core/runner/selection.py', '    return None if names is None else left', '    return names', 'tests/runner/test_sound.py'),
    ('sound: a plugin is missing in silence', 'sbf_core/runner/runner.py', '        context.errors.extend(self._faults)\n', '', 'tests/runner/test_sound.py'),
]
