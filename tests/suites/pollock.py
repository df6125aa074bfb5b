"""The Pollock benchmark over our reader of delimited text, by hand::

    git clone https://github.com/HPI-Information-Systems/Pollock
    python tests/suites/pollock.py FOLDER [--header read|declared] [--converted FOLDER]

Pollock (Vitagliano et al., VLDB 2023) has 2,290 damaged CSV files, the parameters that a reader may be given for each,
and its true content. Each file is read as one payload, all fields text, in the dialect that the benchmark states. Told
are files that are refused, and files with a rejected row; wrong in silence are files whose rows differ from the true
content by anything else than rows rejected.

The score is computed as the benchmark's ``metrics.py`` defines it: for each file 1 for being read, and precision,
recall and F1 of header, records and cells as multisets, so 10 at best; simple is the mean, weighted the mean by how
often a pollution was seen in the wild. A file that is refused has 0 of 10. The benchmark compares cells after a
normalisation (dates, prices, letters) that can only make more of them equal; here they must be equal as they stand.
``--converted`` writes what was read as its own evaluation wants it.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from delimited_reading import Bench, reading_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.errors import SbfError
from sbf_core.payload.model import PayloadFile

Row = tuple[str, ...]


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        header, rows: what was read, rows None where the file was refused. A file that has no header by declaration
            gives none.
        rejected: lines of rejected rows.
        by_engine: whether the engine read it.
        refusal: why it was refused.
    """

    header: Row | None = None
    rows: list[Row] | None = None
    rejected: tuple[str, ...] = ()
    by_engine: bool = False
    refusal: str = ""


def declared(given: dict[str, Any], *, read_header: bool) -> tuple[Csv, list[str]]:
    """The dialect and the fields of a file, as the benchmark's parameters state them."""
    names = list(given["column_names"]) or [f"column{place}" for place in range(given["n_columns"] or 9)]
    above = given["preamble_lines"] + (max(given["header_lines"] - 1, 0) if read_header else given["header_lines"])
    has_header = read_header and given["header_lines"] > 0
    dialect = Csv(
        delimiter=given["delimiter"] or ",",
        quote=given["quotechar"],
        escape=given["escapechar"],
        encoding=given["encoding"],
        header=True if has_header else tuple(names),
        skip_rows=above,
        footer_rows=given["footnote_lines"],
    )
    return dialect, names


def read(bench: Bench, path: Path, given: dict[str, Any], *, read_header: bool) -> Outcome:
    """One file, as the core would read it."""
    try:
        dialect, names = declared(given, read_header=read_header)
        header = tuple(names) if given["header_lines"] else None
        reading = reading_of(
            dialect, [Column(name=f"c{place}", type="VARCHAR", source=name) for place, name in enumerate(names)]
        )
        file = PayloadFile(file_id=path.name, path=path, extension="csv", byte_count=path.stat().st_size)
        look = bench.look(reading, file)
        if look.is_regular:
            rows = [tuple(value or "" for value in row[1:]) for row in bench.selected(reading, [look])]
            if len(rows) != look.record_count:
                raise AssertionError(f"{path.name}: {look.record_count} records counted, {len(rows)} read")
            return Outcome(header=header, rows=rows, by_engine=True)
        records = bench.records(reading, file)
    except SbfError as error:
        return Outcome(refusal=str(error))
    rows = [tuple(value or "" for value in record.values) for record in records if not record.fault]
    return Outcome(header=header, rows=rows, rejected=tuple(record.place for record in records if record.fault))


def overlap(true: Sequence[Any], loaded: Sequence[Any]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two multisets, in the benchmark's words (its precision is over the true ones)."""
    if not true:
        return 1.0, 1.0, 1.0
    common = (Counter(true) & Counter(loaded)).total()
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / len(true), common / len(loaded)
    return precision, recall, 2 * precision * recall / (precision + recall)


def score(true: list[Row], outcome: Outcome) -> float:
    """The benchmark's sum for one file, 10 at best."""
    if outcome.rows is None:
        return 0.0
    if not true:
        return 10.0
    loaded = [outcome.header, *outcome.rows] if outcome.header is not None else outcome.rows
    if not loaded:
        return 1.0
    parts = (
        overlap(true[0], loaded[0]),
        overlap(["".join(row) for row in true[1:]], ["".join(row) for row in loaded[1:]]),
        overlap([cell for row in true for cell in row], [cell for row in loaded for cell in row]),
    )
    return 1 + sum(sum(part) for part in parts)


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--header", choices=("read", "declared"), default="declared")
    arguments.add_argument("--converted", type=Path)
    arguments.add_argument("--show", default="", help="kinds to list, with commas: silent, more, surplus, refused")
    given = arguments.parse_args()
    folder = given.folder / "polluted_files"
    weights: dict[str, float] = json.loads((given.folder / "pollock_weights.json").read_text())
    bench = Bench(folder=Path(tempfile.mkdtemp()))
    kinds: dict[str, list[str]] = {
        "right": [],
        "told": [],
        "refused": [],
        "silent": [],
        "more": [],
        "surplus": [],
        "engine": [],
    }
    simple = weighted = 0.0
    files = sorted((folder / "csv").glob("*.csv"))
    for path in files:
        facts = json.loads((folder / "parameters" / f"{path.name}_parameters.json").read_text())
        with (folder / "clean" / path.name).open(newline="", encoding="utf-8-sig") as stream:
            true = [tuple(row) for row in csv.reader(stream)]
        outcome = read(bench, path, facts, read_header=given.header == "read")
        points = score(true, outcome)
        simple += points
        weighted += points * weights.get(path.name, -1)
        judge(kinds, path.name, true[1:] if facts["header_lines"] else true, outcome)
        if given.converted:
            convert(given.converted / f"{path.name}_converted.csv", outcome)
    print(f"{len(files)} files; the engine read {len(kinds['engine'])}")
    print(
        f"right {len(kinds['right'])}, told {len(kinds['told'])} ({len(kinds['refused'])} of them refused), "
        f"wrong in silence {len(kinds['silent'])}"
    )
    print(
        f"of those told: rows rejected that are not damaged in {len(kinds['more'])}, "
        f"rows read that are none in {len(kinds['surplus'])}"
    )
    print(
        f"score: simple {simple / len(files):.4f}, "
        f"weighted {weighted / sum(weights.get(path.name, -1) for path in files):.4f}"
    )
    for kind in filter(None, given.show.split(",")):
        print(kind, *kinds[kind], sep="\n  ")
    return 1 if kinds["silent"] else 0


def judge(kinds: dict[str, list[str]], name: str, true: list[Row], outcome: Outcome) -> None:
    """Count a file."""
    if outcome.by_engine:
        kinds["engine"].append(name)
    if outcome.rows is None:
        kinds["told"].append(name)
        kinds["refused"].append(f"{name}: {outcome.refusal}")
        return
    missing, surplus = Counter(true) - Counter(outcome.rows), Counter(outcome.rows) - Counter(true)
    if outcome.rejected:
        kinds["told"].append(name)
        damaged = 1 if name.startswith("row_") else 0
        if missing.total() > damaged:
            kinds["more"].append(f"{name}: {missing.total()} rows missing, {len(outcome.rejected)} rejected")
        if surplus:
            kinds["surplus"].append(f"{name}: {surplus.total()} rows that are none, {len(outcome.rejected)} rejected")
    elif missing or surplus:
        kinds["silent"].append(f"{name}: {missing.total()} rows missing, {surplus.total()} that are none")
    else:
        kinds["right"].append(name)


def convert(path: Path, outcome: Outcome) -> None:
    """What was read, as the benchmark's evaluation reads it."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        if outcome.rows is None:
            stream.write("Application Error\n" + outcome.refusal)
        else:
            csv.writer(stream).writerows([*([outcome.header] if outcome.header is not None else []), *outcome.rows])


if __name__ == "__main__":
    raise SystemExit(main())
