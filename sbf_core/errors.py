"""What went wrong, grouped by what the caller should do next.

::

    SbfError                  70  a bug: report it
    ├── UsageError             2  change the command, the settings, the plugin's declaration or the universe
    ├── DatasetFailure         1  one dataset failed; the others went on
    │   ├── PluginFault        1  the plugin's own code did it
    │   └── PayloadRefused     1  the vendor sent something that is not data
    ├── DamageFound            3  files or ledger disagree: `sbf verify`, `sbf repair`
    ├── HomeLocked             4  another process works in this home: wait
    ├── VersionRefused         5  written by a newer sbf: upgrade
    └── EnvironmentFault       6  disk, permission: mend the machine
        └── OutOfMemory        6  give it more memory
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import FrameType
from typing import ClassVar

from sbf_core.secret import redacted
from sbf_core.unicode_text import escaped

_LINE_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\t": " "})
#: What is kept of a text that others wrote: an exception's may be a whole payload.
TEXT_CHARACTERS_MAX = 2_000


def printable(text: str) -> str:
    """``text`` on one line, without keys, control and bidirectional characters shown as escapes
    (safe for a terminal).
    """
    flat = redacted(text).translate(_LINE_BREAKS)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in flat)


def excerpt(text: str, characters_max: int) -> str:
    """The beginning of a text. Keys are taken out before it is cut: half of one is none that could be found later."""
    return redacted(text)[:characters_max]


def shortened(text: str) -> str:
    """``text`` without what is beyond 2,000 characters, saying how many are left out, and in letters that a file can
    hold. Shortening it again changes nothing.
    """
    text = escaped(text)
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    text = redacted(text)  # half a key would not be known as one any more
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    kept = TEXT_CHARACTERS_MAX - len(f" ... ({len(text):,} characters left out)")
    return f"{text[:kept]} ... ({len(text) - kept:,} characters left out)"


def told_by(error: BaseException) -> str:
    """Kind and text of an exception of others as a value: shortened, and also where its text cannot be made."""
    try:
        text = str(error)
    except BaseException as broken:  # the exception is a plugin's own class
        if isinstance(broken, KeyboardInterrupt):
            raise
        text = "(its text cannot be made)"
    return shortened(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def said_by(error: BaseException) -> str:
    """One of our errors as it stands, of others kind and text; on one line."""
    return str(error) if isinstance(error, SbfError) else printable(told_by(error))


#: Packages whose code is not what somebody wrote who meets an error: ours, and what lies between it and theirs.
_BETWEEN = frozenset({"", "sbf_core", "pluggy", *sys.stdlib_module_names})


def raised_at(error: BaseException) -> str:
    """The last line that an error came through of the package whose code ours called, e.g. ``sbf_stock/parse.py, line
    12, in rows``; empty where there is none. The file is named from its package on: no folder of the machine is told.
    """
    own, place, trace = "", "", error.__traceback__
    while trace is not None:
        package = _module(trace.tb_frame).partition(".")[0]
        if not own and package not in _BETWEEN:
            own = package
        if own and package == own:
            name = trace.tb_frame.f_code.co_name
            within = "" if name == "<module>" else f", in {name}"
            place = f"{_file(trace.tb_frame)}, line {trace.tb_lineno}{within}"
        trace = trace.tb_next
    return place


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__") or "")


def _file(frame: FrameType) -> str:
    *folders, name = frame.f_code.co_filename.replace("\\", "/").split("/")
    above = _module(frame).count(".") + (name == "__init__.py")
    return "/".join([*folders[len(folders) - above :], name])


def show_trace(error: BaseException) -> None:
    """All of an error on stderr, without keys, where ``--debug`` asks for it."""
    if os.environ.get("SBF_DEBUG"):
        import traceback

        sys.stderr.write(redacted("".join(traceback.format_exception(error))))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint such as ``did you mean 'run'?``, or an empty text when nothing is near."""
    import difflib  # only a mistake has to pay for it

    names = [str(each) for each in known]
    swapped = [each for each in names if sorted(each) == sorted(name)]  # letters in the wrong order are the usual slip
    near = swapped or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def is_interrupt(error: BaseException) -> bool:
    """Whether somebody stopped the process. DuckDB, stopped in a query, says so with a ``RuntimeError`` of its own, or
    with its ``InterruptException``, which is not loaded here.
    """
    if isinstance(error, RuntimeError):
        return str(error) == "Query interrupted"
    return isinstance(error, (KeyboardInterrupt, SystemExit)) or type(error).__name__ == "InterruptException"


class SbfError(Exception):
    """Base of every error that sbf raises on purpose. Each of its texts is shortened, see ``shortened``.

    Args:
        what: what happened, in one clause.
        where: the file, dataset, column or setting it happened at.
        fix: what to do about it.
        code: a short stable word that names the kind of error.
    """

    exit_code: ClassVar[int] = 70
    default_code: ClassVar[str] = "BUG"

    def __init__(self, what: str, *, where: str = "", fix: str = "", code: str = "") -> None:
        self.what, self.where, self.fix = (shortened(f"{text}") for text in (what, where, fix))
        super().__init__(self.what)
        self.code = code or self.default_code

    def __str__(self) -> str:
        return printable("; ".join(part for part in (self.what, self.where, self.fix) if part))

    def line(self) -> str:
        """The one line that a user sees: ``sbf: error[CODE] what; where; how to fix``."""
        return f"sbf: error[{self.code}] {self}"


class UsageError(SbfError):
    """Found before anything is written; the caller must change what was asked for."""

    exit_code = 2
    default_code = "USAGE"


class DatasetFailure(SbfError):
    """One dataset failed; what the others did stands."""

    exit_code = 1
    default_code = "DATASET_FAILED"


class PluginFault(DatasetFailure):
    """A plugin's hook raised or answered with something it must not."""

    default_code = "PLUGIN_FAULT"


class PayloadRefused(DatasetFailure):
    """A payload that cannot be taken as data. Its bytes stay in Bronze."""

    default_code = "PAYLOAD"


class FieldGone(PayloadRefused):
    """A payload in which no record has a declared field that must be there.

    Args:
        column: the column that it fills.
    """

    def __init__(self, what: str, *, column: str, fix: str) -> None:
        super().__init__(what, fix=fix)
        self.column = column


class DamageFound(SbfError):
    """Files, journal, ledger or tables disagree."""

    exit_code = 3
    default_code = "DAMAGE"


class HomeLocked(SbfError):
    """Another process holds this home."""

    exit_code = 4
    default_code = "LOCKED"


class VersionRefused(SbfError):
    """Written by a newer sbf or DuckDB; nothing was touched."""

    exit_code = 5
    default_code = "VERSION"


class EnvironmentFault(SbfError):
    """Disk full, no permission, folder gone."""

    exit_code = 6
    default_code = "ENVIRONMENT"


class OutOfMemory(EnvironmentFault):
    """A statement or a hook wanted more memory than there is, or than it may have. Nothing was recorded of it."""

    default_code = "MEMORY"


def environment_fault(error: Exception, *, doing: str, where: str) -> EnvironmentFault:
    """What the system or the engine said about a disk, with the room that is left there."""
    cause = error.strerror or str(error) if isinstance(error, OSError) else str(error).split("\n", maxsplit=1)[0]
    place = str(getattr(error, "filename", None) or where)
    return EnvironmentFault(
        f"{doing}: {cause}", where=f"{place}{_free_space(place)}", fix="mend that and run again; nothing is lost"
    )


def _free_space(place: str) -> str:
    import os
    import shutil
    from pathlib import Path

    folder = Path(place)
    # os.path.isdir, which does not raise what is being told
    while not os.path.isdir(folder) and folder != folder.parent:  # noqa: PTH112
        folder = folder.parent
    try:
        return f" ({shutil.disk_usage(folder).free / 1024**2:,.0f} MiB free)"
    except OSError:
        return ""
