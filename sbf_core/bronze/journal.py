"""The journal beside the payloads: one JSON line each, chained by checksums, one file per run.

Journal and payloads together are enough to rebuild everything. A line holds the request without secrets, what came
back, and ``chain``: the SHA-256 of the line before it and of its own text. A changed, missing or moved line breaks
the chain; a torn last line is what a crash leaves and is not part of the journal.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sbf_core.atomic_file import make_folder, sync_all, write_all, write_whole
from sbf_core.bronze.journal_file import check_journal, journal_bytes, short_lines
from sbf_core.bronze.journal_line import JournalLine, as_line, as_text
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.errors import DamageFound
from sbf_core.faults import fault_point
from sbf_core.safe_paths import why_no_name

_FIRST_CHAIN = "0" * 64
#: What the lines of a set have in common.
_ASKED = ("run_id", "domain", "source", "dataset", "discriminator", "ticker", "from_date", "to_date", "cursor")
#: At least so much of the end of a journal is read to see whether it is whole.
_END_BYTES = 65_536
#: What reading a line raises that is none.
NO_LINE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def journal_path(bronze: Path, run_id: str) -> Path:
    """The journal of a run. Raises ``DamageFound`` for an id that no run has, such as one that leads elsewhere."""
    why = why_no_name(run_id)
    if why:
        raise DamageFound(
            f"the id of a run can be no name of a file: {why}", where=f"run {run_id!r:.60}", fix="run `sbf rebuild`"
        )
    return bronze / JOURNAL_FOLDER / f"{run_id}.jsonl"


def _chained(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def _chained_text(texts: Iterable[str], chain: str) -> tuple[bytes, str]:
    """Texts of lines as they stand in a journal after the line with that chain, and the chain of the last one."""
    chunks = []
    for text in texts:
        chain = _chained(chain, text)
        chunks.append(f'{{"chain":"{chain}","line":{text}}}\n')
    return "".join(chunks).encode("ascii"), chain


class JournalWriter:
    """Appends to the journal of one run. Not for several threads at once."""

    def __init__(self, bronze: Path, run_id: str, *, durable: bool = True) -> None:
        self.path = journal_path(bronze, run_id)
        self._durable = durable
        self._chain = _FIRST_CHAIN
        if self.path.exists():
            if torn_tail(self.path):
                raise DamageFound(
                    "the journal ends in the middle of a line", where=str(self.path), fix="run `sbf repair`"
                )
            self._chain = _last_chain(self.path)
        named = make_folder(self.path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.path, flags, 0o600)
        if durable:
            sync_all([self.path.parent, *named])

    def append(self, lines: Sequence[JournalLine]) -> None:
        """Append lines; when it returns they are on the disk."""
        self.append_texts(map(as_text, lines))

    def append_texts(self, texts: Iterable[str]) -> None:
        """The same, of what ``as_text`` made of them."""
        text, self._chain = _chained_text(texts, self._chain)
        write_all(self._file, text, point="journal.half")
        fault_point("journal.written")
        if self._durable:
            os.fsync(self._file)
        fault_point("journal.synced")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def settled(content: bytes) -> bytes:
    """A journal without what a crash cut off at its end:
    a half line, and the lines of a set of which others are missing.

    The lines of a set stand together and are appended at once, so only the last set can lack some: of ``parts`` lines
    the first few are there. Lines that are anything else are whole, whatever they say.
    """
    end = _settled_end(content)
    return content[: content.rfind(b"\n") + 1 if end is None else end]


def _settled_end(content: bytes) -> int | None:
    """Where what a crash cut off begins in the end of a journal; None where that lies before this piece of it."""
    end = content.rfind(b"\n") + 1
    begin, last, left = end, None, 0
    while begin:
        line_begin = content.rfind(b"\n", 0, begin - 1) + 1
        place = _place_in_set(content[line_begin : begin - 1])
        if last is None:
            if place is None or not 0 < place[0] < place[1]:
                return end
            last, left = place, place[0]
        if place is None or place[0] != left or place[1:] != last[1:]:
            return end
        begin, left = line_begin, left - 1
        if not left:
            return begin
    return None


def _place_in_set(raw: bytes) -> tuple[int, int, str] | None:
    """Part and parts of a line, and what was asked for; None for a line that is none: who reads it says so."""
    try:
        facts = json.loads(raw)["line"]
        part, parts = facts.get("part", 0), facts.get("parts", 0)
        if type(part) is not int or type(parts) is not int:
            return None
        return part, parts, json.dumps([facts.get(name) for name in _ASKED])
    except NO_LINE:
        return None


def torn_tail(path: Path) -> bytes:
    """What a crash cut off at the end of a journal, see ``settled``. Empty for a whole journal."""
    size = check_journal(path)
    with path.open("rb") as file:
        file.seek(_settled_size(path, size))
        return file.read()


def _settled_size(path: Path, size: int) -> int:
    """How many bytes ``settled`` leaves of a journal of ``size`` bytes: its end alone is read."""
    step = _END_BYTES
    with path.open("rb") as file:
        while True:
            start = max(0, size - step)
            file.seek(start)
            end = file.read(size - start)
            if not start:
                return len(settled(end))
            cut = end.find(b"\n") + 1  # half of a line, which begins before
            whole = _settled_end(end[cut:])
            if whole is not None:
                return start + cut + whole
            step *= 4


def each_line(path: Path) -> Iterator[tuple[str, bytes]]:
    """The whole lines of a journal one by one, see ``settled``: the chain of each, and its text, whatever that says.

    Raises:
        DamageFound: a line is none, or its chain does not follow from the line before; and as ``journal_bytes``.
    """
    left = _settled_size(path, check_journal(path))
    previous = _FIRST_CHAIN
    with path.open("rb") as file:
        number = 0
        while left > 0 and (raw := file.readline()):
            left -= len(raw)
            number += 1
            try:
                previous, text = _text_of(previous, raw.removesuffix(b"\n"))
            except NO_LINE as error:
                raise damaged_line(number, error, where=str(path)) from error
            yield previous, text


def _text_of(previous: str, raw: bytes) -> tuple[str, bytes]:
    """The chain of a line, and its text.

    Raises what ``NO_LINE`` names where it does not follow from the line before.
    """
    chain, text = raw[10:74], raw[83:-1]
    is_as_written = raw[:10] == b'{"chain":"' and raw[74:83] == b'","line":' and raw[-1:] == b"}"
    if is_as_written and hashlib.sha256(previous.encode() + text).hexdigest().encode() == chain:
        return chain.decode(), text
    facts = json.loads(raw)
    written = json.dumps(facts["line"], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    _check_chain(previous, written, facts["chain"])
    return facts["chain"], written.encode()


def _check_chain(previous: str, text: str, chain: str) -> None:
    if _chained(previous, text) != chain:
        raise ValueError("its checksum does not follow from the line before")


def cut_torn_tail(path: Path) -> None:
    """Take the torn tail away, in one step."""
    write_whole(path, settled(journal_bytes(path)))


def rewrite_journal(path: Path, lines: Sequence[JournalLine]) -> None:
    """Put other lines in the place of a journal,
    with a chain of their own, so that a crash leaves the one or the other.
    """
    write_whole(path, _chained_text(map(as_text, lines), _FIRST_CHAIN)[0])


def salvaged_lines(path: Path) -> list[JournalLine]:
    """Every line of a damaged journal that can be read at all, whatever its checksum."""
    lines = []
    for raw in short_lines(path):
        try:
            lines.append(as_line(json.loads(raw)["line"]))
        except NO_LINE:
            continue
    return lines


def _last_chain(path: Path) -> str:
    chains = [chain for chain, _ in _read(path)]
    return chains[-1] if chains else _FIRST_CHAIN


def damaged_line(number: int, error: Exception, *, where: str) -> DamageFound:
    """What is raised for a line that cannot be read, or that sbf did not write."""
    said = "brackets without end" if isinstance(error, RecursionError) else str(error)
    return DamageFound(
        f"the journal is damaged at line {number}: {said:.300}",
        where=where,
        fix="restore it from a copy, or run `sbf repair`",
    )


def lines_of(content: bytes, *, where: str) -> Iterator[JournalLine]:
    """The lines of a journal, whatever their checksums.

    Raises ``DamageFound`` for one that cannot be read, or that sbf did not write.
    """
    for number, raw in enumerate(content.splitlines(), start=1):
        try:
            yield as_line(json.loads(raw)["line"])
        except NO_LINE as error:
            raise damaged_line(number, error, where=where) from error


def _read(path: Path) -> Iterator[tuple[str, JournalLine]]:
    for number, (chain, text) in enumerate(each_line(path), start=1):
        try:
            parsed = as_line(json.loads(text))
        except NO_LINE as error:
            raise damaged_line(number, error, where=str(path)) from error
        yield chain, parsed


def read_journal(path: Path) -> list[JournalLine]:
    """Every whole line of a journal, in order. Raises ``DamageFound`` where the chain is broken."""
    return [line for _, line in _read(path)]


def read_journal_start(path: Path) -> tuple[list[JournalLine], str]:
    """The lines before the first damage, and what the damage is; an empty text for a journal without any."""
    lines: list[JournalLine] = []
    try:
        for _, line in _read(path):
            lines.append(line)
    except DamageFound as error:
        return lines, str(error)
    return lines, ""


def run_of_copy(path: Path) -> str:
    """The run whose journal somebody copied to this place; empty for a journal that is the only one of its run."""
    try:
        _, line = next(_read(path), ("", None))
    except DamageFound:
        return ""
    if line is None or line.row.run_id == path.stem or not path.with_name(f"{line.row.run_id}{path.suffix}").exists():
        return ""
    return line.row.run_id


def journalled_datasets(path: Path) -> frozenset[str]:
    """The datasets of a journal's lines, by their identities, up to the first damage of its chain; of each dataset one
    line is read with care.
    """
    dataset_ids: dict[tuple[bytes, bytes], str] = {}
    try:
        for number, (_, text) in enumerate(each_line(path), start=1):
            try:
                identity = _identity(text)
                if identity not in dataset_ids:
                    dataset_ids[identity] = as_line(json.loads(text)).row.dataset_id
            except NO_LINE as error:
                raise damaged_line(number, error, where=str(path)) from error
    except DamageFound:
        pass  # told by whoever reads its lines
    return frozenset(dataset_ids.values())


def _identity(text: bytes) -> tuple[bytes, bytes]:
    """What tells the datasets of lines apart:
    fields stand in order, and a quotation mark in a text follows a backslash.
    """
    begin, end = text.find(b',"dataset":"'), text.find(b',"elapsed_seconds":')
    last, after = text.rfind(b',"source":"'), text.rfind(b',"status_code":')
    return (text[begin:end], text[last:after]) if 0 < begin < end < last < after else (text, b"")


def journal_files(bronze: Path) -> list[Path]:
    """The journals of a Bronze folder, by name, which is by time. Raises ``OSError`` where it cannot be read."""
    try:
        return sorted(path for path in (bronze / JOURNAL_FOLDER).iterdir() if path.suffix == ".jsonl")
    except (FileNotFoundError, NotADirectoryError):
        return []
