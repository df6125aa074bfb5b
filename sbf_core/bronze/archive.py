"""A Bronze folder as a cassette: what was recorded answers fetches again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import attrs

from sbf_core.bronze.file_reader import read_payload
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.errors import UsageError
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Vintage(Value):
    """The answers that one fetch brought: one, or the pages of a set, in their order."""

    lines: tuple[JournalLine, ...]

    @property
    def request(self) -> RunRequest:
        """What was asked."""
        return self.lines[0].row.request

    @property
    def fetched_at(self) -> dt.datetime:
        """When the last answer was complete."""
        return max(line.row.fetched_at for line in self.lines)


class BronzeArchive:
    """The recorded payloads of a Bronze folder, and of a home's ``bronze``.

    Args:
        folder: a Bronze folder, or a home that holds one.
        until: only what was fetched up to this moment.

    Raises:
        UsageError: the folder holds no journal.
        DamageFound: a journal's chain is broken.
    """

    def __init__(self, folder: Path, *, until: dt.datetime | None = None) -> None:
        self.folder = folder / "bronze" if (folder / "bronze").is_dir() else folder
        files = journal_files(self.folder)
        if not files:
            raise UsageError(
                "this folder holds no Bronze journal",
                where=str(folder),
                fix="name a Bronze folder, a home, or `sample`",
                code="REPLAY",
            )
        lines: dict[str, JournalLine] = {}
        for line in (line for path in files for line in read_journal(path)):
            lines.setdefault(line.row.rel_path, line)  # a lost payload that came again is one answer
        kept = [line for line in lines.values() if until is None or line.row.fetched_at <= until]
        self.vintages = _vintages(kept)

    @property
    def dataset_ids(self) -> frozenset[str]:
        """The datasets of which there is something."""
        return frozenset(vintage.request.dataset_id for vintage in self.vintages)

    def tickers(self, dataset_ids: Collection[str]) -> tuple[str, ...]:
        """The tickers of which some datasets have something, in alphabetical order."""
        requests = [vintage.request for vintage in self.vintages if vintage.request.dataset_id in dataset_ids]
        return tuple(sorted({ticker for request in requests for ticker in request.tickers}))

    def result(self, line: JournalLine, request: RunRequest) -> RunResult:
        """A recorded answer, as if it had just come back for ``request``, with its recorded fetch time."""
        row = line.row
        return RunResult(
            request=request,
            address=row.address,
            payload=read_payload(self.folder, row),
            extension=row.extension,
            fetched_at=row.fetched_at,
            status_code=row.status_code,
            headers=line.headers,
            masked=line.masked,
            elapsed_seconds=row.elapsed_seconds,
        )


def _vintages(lines: list[JournalLine]) -> list[Vintage]:
    """Lines grouped by fetch: one run, one request, no address twice; oldest first."""
    open_groups: dict[tuple[str, RunRequest], list[JournalLine]] = {}
    done: list[list[JournalLine]] = []
    for line in lines:
        group_key = (line.row.run_id, line.row.request)
        group = open_groups.get(group_key)
        if group is None or any(other.row.address == line.row.address for other in group):
            group = open_groups[group_key] = []
            done.append(group)
        group.append(line)
    vintages = [Vintage(lines=tuple(group)) for group in done]
    return sorted(vintages, key=lambda vintage: (vintage.fetched_at, vintage.request.key))
