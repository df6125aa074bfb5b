"""What a plugin's processes print: the first lines for the user, the rest in a file of the home, up to a cap."""

from __future__ import annotations

import logging
import os
import re
import threading
from pathlib import Path
from typing import IO

from sbf_core.errors import printable, shortened

#: Lines that are shown to the user, of each plugin in each command.
LINES_SHOWN = 5
#: A line without an end is taken as one when it is so long.
_LINE_BYTES_MAX = 8_192
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def log_of(folder: Path, plugin: str) -> Path:
    """The file that holds what a plugin printed: ``<home>/logs/plugin-NAME.log``; the one before it ends in ``.1``."""
    return folder / f"plugin-{_UNSAFE.sub('_', plugin)}.log"


class PluginOutput:
    """Takes what the processes of one plugin print. Keys are taken out, control characters shown as escapes.

    The file grows from command to command up to ``bytes_max``; then it is kept as the one before, and a new one begun.
    One command writes no more than ``bytes_max``.

    Args:
        plugin: its name.
        folder: for the file, made when something is printed; None keeps nothing.
        bytes_max: of the file.
        logger: shows the first lines.
    """

    def __init__(
        self, plugin: str, folder: Path | None, *, bytes_max: int, logger: logging.Logger | None = None
    ) -> None:
        self._plugin = plugin
        self._path = None if folder is None else log_of(folder, plugin)
        self._bytes_max = bytes_max
        self._logger = logger or logging.getLogger("sbf")
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        self._rest = b""
        self._shown = 0
        self._kept_bytes = 0
        self._lost_bytes = 0

    def take(self, chunk: bytes) -> None:
        """A piece of what was printed; may be called by several threads."""
        with self._lock:
            if self._kept_bytes >= self._bytes_max:
                self._lost_bytes += len(chunk)
                return
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > _LINE_BYTES_MAX:
                lines.append(self._rest)
                self._rest = b""
            for line in lines:
                self._keep(line)

    def close(self) -> None:
        """Say where the rest is. Nothing is taken any more that matters."""
        with self._lock:
            if self._rest:
                self._keep(self._rest)
                self._rest = b""
            if self._lost_bytes and self._file is not None:
                self._file.write(f"... {self._lost_bytes:,} bytes more were not kept\n")
            if self._shown > LINES_SHOWN:
                where = f"; see {self._path}" if self._file is not None else ""
                self._logger.warning("plugin %s printed %s lines%s", self._plugin, self._count(), where)
            if self._file is not None:
                self._file.close()
                self._file = None
            self._shown = 0

    def _count(self) -> str:
        return f"more than {self._shown:,}" if self._lost_bytes else f"{self._shown:,}"

    def _keep(self, line: bytes) -> None:
        if self._kept_bytes >= self._bytes_max:
            self._lost_bytes += len(line) + 1
            return
        text = shortened(printable(line.decode("utf-8", "replace").rstrip("\r")))
        self._shown += 1
        if self._shown <= LINES_SHOWN:
            self._logger.warning("plugin %s prints: %s", self._plugin, text)
        self._kept_bytes += len(text.encode()) + 1
        if self._path is None:
            return
        try:
            if self._file is None:
                self._file = _opened(self._path, self._bytes_max)
            self._file.write(f"{text}\n")
        except OSError as error:  # a full disk is told by what matters more
            self._logger.warning("what plugin %s prints is not kept: %s", self._plugin, error.strerror)
            self._path = None


def _opened(path: Path, bytes_max: int) -> IO[str]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size >= bytes_max:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8", newline="\n")
