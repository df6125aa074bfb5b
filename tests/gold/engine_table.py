"""What two ends of the supported range of DuckDB answer differently: docs/reference/engines.md is written from it.

Run ``python tests/gold/engine_table.py`` after a change of the list; a test says whether the page is current. The
expressions are asked by ``python tests/gold/ask_engine.py``, which needs nothing but DuckDB, so that any version is
asked in an environment of its own.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.gold.engine_difference import ENGINES
from sbf_core.gold.engine_differences import DIFFERENCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "engines.md"
ASK = Path(__file__).with_name("ask_engine.py")
#: 1, 2 and NaN as PyArrow 26 writes them: the statistics beside the values say that 2 is the largest.
NAN_OF_ANOTHER_WRITER = base64.b64decode(
    "UEFSMRUEFTAVLEwVBhUAEgAAGAAABQEE8D8FBygAAEAAAAAAAAD4fxUAFRQVGCwVBhUQFQYVBhwYCAAAAAAAAABAGAgAAAAAAADwPxYAKAgAAA"
    "AAAAAAQBgIAAAAAAAA8D8REQAAAAokAgAAAAYBAgMkABUEGSw1ABgGc2NoZW1hFQIAFQolAhgBeAAWBhkcGRwmABwVChk1AAYQGRgBeBUCFgYW"
    "3gEW3gEmUCYIHBgIAAAAAAAAAEAYCAAAAAAAAPA/FgAoCAAAAAAAAABAGAgAAAAAAADwPxERABksFQQVABUCABUAFRAVAgA8KQYZJgAGAAAAFt"
    "4BFgYmCBbeAQAZHBgMQVJST1c6c2NoZW1hGKABLy8vLy8zQUFBQUFRQUFBQUFBQUtBQXdBQmdBRkFBZ0FDZ0FBQUFBQkJBQU1BQUFBQ0FBSUFB"
    "QUFCQUFJQUFBQUJBQUFBQUVBQUFBVUFBQUFFQUFVQUFnQUJnQUhBQXdBQUFBUUFCQUFBQUFBQUFFREVBQUFBQmdBQUFBRUFBQUFBQUFBQUFFQU"
    "FBQjRBQVlBQ0FBR0FBWUFBQUFBQUFJQQAYIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGRwcAAAAagEAAFBBUjE="
)


@attrs.frozen(kw_only=True)
class FileDifference:
    """What a SELECT over a file answers, which a hook ``promote`` may write and a gold model may not."""

    told: str
    file: str
    content: bytes
    query: str
    answers: tuple[str, str]
    instead: str


FILES: Sequence[FileDifference] = (
    FileDifference(
        told="A cast is pushed into the reader, unless the column itself is read, too: 2.5 rounds up or to even.",
        file="halves.csv",
        content=b"id,v\n1,2.5\n",
        query="SELECT CAST(v AS INTEGER) FROM read_csv('halves.csv')",
        answers=("2", "3"),
        instead="a declared format; silver's casts refuse what is not exact",
    ),
    FileDifference(
        told="The same cast, with the column beside it.",
        file="halves.csv",
        content=b"id,v\n1,2.5\n",
        query="SELECT CAST(v AS INTEGER) FROM (SELECT v, CAST(v AS INTEGER) FROM read_csv('halves.csv')) AS t",
        answers=("2", "3"),
        instead="a declared format",
    ),
    FileDifference(
        told="TRY_CAST of a text that is no number: pushed into the reader, it fails the whole file.",
        file="texts.csv",
        content=b"id,v\n1,x\n2,7\n",
        query="SELECT TRY_CAST(v AS INTEGER) FROM read_csv('texts.csv', all_varchar = true)",
        answers=("NULL", "an error"),
        instead="a declared format",
    ),
    FileDifference(
        told="NaN in a file of another writer: the statistics beside it do not know it, and are believed.",
        file="nan.parquet",
        content=NAN_OF_ANOTHER_WRITER,
        query="SELECT count(*) FROM 'nan.parquet' WHERE isnan(x)",
        answers=("1", "0"),
        instead="`Parquet()`, whose rows are read without their statistics",
    ),
)


def answers_here(expressions: Sequence[str], folder: Path, *, python: str = sys.executable) -> list[str | None]:
    """What an engine answers to SELECTs of one value each, asked in a process of its own in ``folder``."""
    for each in FILES:
        (folder / each.file).write_bytes(each.content)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    asked = subprocess.run(
        [python, str(ASK)], input=json.dumps(list(expressions)), capture_output=True, text=True, encoding="utf-8",
        cwd=folder, check=True, env=environment | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return list(json.loads(asked.stdout))


def page() -> str:
    """The reference page."""
    parts = [_HEAD]
    for each in DIFFERENCES:
        first, second = (_code(answer) for answer in each.answers)
        parts.append(
            f"| {each.name} | {each.told} | {_code(each.example)} | {first} | {second} | {each.effect} | "
            f"{_code(each.instead)} |\n"
        )
    parts.append(_OVER_FILES)
    for one in FILES:
        first, second = one.answers
        parts.append(f"| {one.told} | {_code(one.query)} | {first} | {second} | {one.instead} |\n")
    return "".join(parts)


def _code(text: str | None) -> str:
    if text is None:
        return "NULL"
    return text if text.startswith("an error") else f"`{text}`".replace("|", "\\|")


_HEAD = f"""\
<!-- Made by tests/gold/engine_table.py, which asks the engines. Do not edit. -->

# What two versions of DuckDB answer differently

sbf runs on DuckDB {ENGINES[0]} to {ENGINES[1]}. A gold model is your SQL, and the engines do not always agree. They
were asked for every function over values at the edges of its types, and for casts of fifty spellings; what differed
and may stand in a model is below. The tests ask again for both columns of answers. `sbf doctor` names the expressions
of your models that fall under it, with their lines. `sbf plugins check` fails where both engines give a value and the
values differ, and names the rest.

| what | about which values | example | {ENGINES[0]} | {ENGINES[1]} | effect | the same on both |
| --- | --- | --- | --- | --- | --- | --- |
"""
_OVER_FILES = f"""
## Over files

A gold model reads tables only. A hook `promote` that gives a SELECT may read files, and then meets these:

| what | example | {ENGINES[0]} | {ENGINES[1]} | instead |
| --- | --- | --- | --- | --- |
"""

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
