"""The script ``sbf``: one clear line and an exit code for whatever goes wrong in a command."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from pathlib import Path

from typer.exceptions import Abort, Exit, TyperException

from sbf_core import signals
from sbf_core.cli.app import application
from sbf_core.cli.render import answer_to, print_error, tell
from sbf_core.errors import EnvironmentFault, SbfError, UsageError, environment_fault, is_interrupt, show_trace, told_by
from sbf_core.failures import Failure, FailureKind, failure_of
from sbf_core.streams import NotTold

_OPTION = re.compile(r"--[a-z-]+(?:=|$)")
#: Options of which each is one more, by their command: ``check`` is one of ``plugins``.
_MAY_BE_REPEATED = frozenset(
    (("plugins", "--exempt"), ("plugins", "--header"), ("chart", "--series"), ("repair", "--from"))
)
_LISTS = frozenset(("--plugins", "--exclude", "--select", "--tickers", "--key"))


def main() -> None:
    """The script ``sbf``: run a command; one clear line and an exit code for whatever goes wrong."""
    signals.install()
    os.umask(signals.OWNER_ALONE)
    code = 0
    try:
        answer_to(sys.argv[1:])
        _refuse_repeated(sys.argv[1:])
        command = application(sys.argv[1:])
        _collect_again()
        answer = command(standalone_mode=False)
        code = answer if isinstance(answer, int) else 0
        if signals.asked_to_stop():  # typer makes an exit code of a Ctrl-C by itself
            code = _interrupted()
    except Exit as error:
        code = error.exit_code
    except TyperException as error:
        code = _usage(error)
    except SbfError as error:
        show_trace(error)
        code = _failed(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except NotTold as error:
        what, fix = f"the output cannot be written: {error.strerror}", "lead it elsewhere; what the command did is done"
        code = _failed(EnvironmentFault(what, where="standard output", fix=fix))
    except OSError as error:
        show_trace(error)
        code = _failed(environment_fault(error, doing="a file cannot be used", where=str(_here())))
    except (KeyboardInterrupt, Abort):
        code = _interrupted()
    except SystemExit as error:  # ours after a signal; typer's when the reader of a pipe went away
        code = _interrupted() if signals.asked_to_stop() else 0 if error.code is None else 1
    except BaseException as error:
        show_trace(error)
        if is_interrupt(error) or signals.asked_to_stop():
            signals.leave(_interrupted())
        machine = _machine_fault(error)
        if machine is not None:
            signals.leave(_failed(machine))
        code = _failed(SbfError(told_by(error), fix="please report it with the output of --debug"))
    signals.leave(code)


def _collect_again() -> None:
    """Python looks for garbage again, but not in what was loaded, which stays for as long as the process."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def _failed(error: SbfError) -> int:
    """Tell an error to whoever asked, and give its exit code."""
    tell(error.line())
    print_error(failure_of(error), code=error.code, exit_code=error.exit_code)
    return error.exit_code


def _machine_fault(error: BaseException) -> SbfError | None:
    """What the machine is to blame for, in a command that has not said so itself."""
    if not isinstance(error, Exception):
        return None
    from sbf_core.duck.disk import machine_fault  # which takes 40 ms

    return machine_fault(error, Path(os.environ.get("SBF_HOME") or _here()))


def _here() -> Path:
    """The folder in which the command was given; somebody may have removed it since."""
    try:
        return Path.cwd()
    except OSError:
        return Path()


def _refuse_repeated(words: list[str]) -> None:
    """An option that is given twice would count once, and nobody would see which one. Raises ``UsageError``."""
    given = words[: words.index("--")] if "--" in words else words
    command = next((word for word in given if not word.startswith("-")), "")
    names = [word.partition("=")[0] for word in given if _OPTION.match(word)]
    twice = next((name for name in names if names.count(name) > 1 and (command, name) not in _MAY_BE_REPEATED), "")
    if twice:
        fix = f"write {twice} A,B" if twice in _LISTS else "give it once"
        raise UsageError(f"{twice} is given twice", where=f"sbf {command}", fix=fix, code="USAGE")


def _interrupted() -> int:
    tell(signals.INTERRUPTED)
    failure = Failure(kind=FailureKind.INTERRUPTED, what="interrupted", fix="the next run goes on from here")
    exit_code = 128 + (signals.asked_to_stop() or signal.SIGINT)
    print_error(failure, code="INTERRUPTED", exit_code=exit_code)
    return exit_code


def _usage(error: TyperException) -> int:
    """A mistake in the command: one line. No arguments at all: the help, which is no mistake."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(text)
        return 0
    return _failed(UsageError(text, fix="see `sbf --help`"))
