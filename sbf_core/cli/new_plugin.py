"""What ``sbf plugins new`` shows and asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from sbf_core.cli.render import print_table, tell
from sbf_core.counted import counted
from sbf_core.errors import SbfError, UsageError
from sbf_core.scaffold.beginning import Beginning
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.licences import LICENCES
from sbf_core.scaffold.proposal import Proposal, Words
from sbf_core.vocabulary import check_name


def show(proposal: Proposal) -> None:
    """The columns as a table, and what was decided without being sure."""
    place = (
        f", rows at {proposal.found.rows_at}"
        if proposal.found.rows_at
        else f", rows are {proposal.found.tag}"
        if proposal.found.tag
        else ""
    )
    print(
        f"{counted(len(proposal.found.rows), 'row')} of {proposal.extension}{place}, "
        f"asked at {proposal.template.url if proposal.template else proposal.address}\n"
    )
    rows: list[tuple[Any, ...]] = []
    for column in proposal.columns:
        roles = ", ".join(word for word, holds in (("key", column.key), ("row date", column.row_date)) if holds)
        rows.append(
            (
                column.name,
                column.hint.replace("dt.", ""),
                roles,
                column.source if column.source != column.name else "",
                column.example,
                "; ".join(column.doubts),
            )
        )
    print_table(("column", "type", "role", "source", "example", "unsure"), rows)
    for doubt in proposal.doubts:
        if not any(doubt.startswith(f"{column.name}: ") for column in proposal.columns):
            print(f"unsure: {doubt}")


@contextmanager
def operations_listed() -> Iterator[None]:
    """Inside, where nobody has said which operation is meant, those that answer lists are shown first."""
    try:
        yield
    except UsageError as error:
        listed = getattr(error, "listed", ())
        if listed:
            rows = [
                (
                    one.operation.id,
                    f"{one.operation.method.upper()} {one.operation.path}",
                    one.rows_at,
                    one.operation.title,
                )
                for one in listed
            ]
            print_table(("operation", "asks", "rows at", "what"), rows)
        raise


def words_of(name: str, given: Mapping[str, str | None], *, ask: bool) -> Words:
    """What the author says, by options and, on a terminal, by answers."""
    questions = {
        "title": ("What is it, in a few words", name.replace("_", " ").capitalize()),
        "domain": ("What is it about, e.g. fx, prices, macro", "data"),
    }
    questions["licence"] = (f"Licence of the package ({', '.join(LICENCES)})", LICENCES[0])
    answers: dict[str, str] = {}
    for field, value in given.items():
        if value is None and ask and field in questions:
            value = _asked(*questions[field])
        if value:
            answers[field] = value
    if "domain" in answers:
        check_name(answers["domain"], what="domain")
    return Words(name=name, **answers)


def _asked(question: str, usual: str) -> str:
    return str(typer.prompt(question, default=usual, err=True))


def ask_way() -> Beginning:
    """What to begin with, as the author answers."""
    answer = _asked("An address, a file, or rest, csv or custom for an example", "rest")
    if answer.startswith(("http://", "https://")):
        return Beginning(url=answer)
    return Beginning(file=answer) if Path(answer).expanduser().is_file() else Beginning(kind=answer)


def confirmed(proposal: Proposal, words: Words, given: Beginning) -> Proposal:
    """Ask whether it is right; key and date can be changed until it is. The payload is not fetched again."""
    while given.url or given.file:
        key = _asked("Key columns", ",".join(column.name for column in proposal.columns if column.key))
        row_date = _asked(
            "Date of a row (- for none)", next((column.name for column in proposal.columns if column.row_date), "-")
        )
        try:
            named = tuple(part.strip() for part in key.split(","))
            day = "" if row_date == "-" else row_date
            proposal = propose(
                words,
                proposal.samples[0],
                template=proposal.template,
                where=given.url or given.file,
                rows_at=given.rows_at,
                key=named,
                row_date=day,
            )
            break
        except SbfError as error:
            tell(error.line())
    confirm(words)
    return proposal


def confirm(words: Words) -> None:
    """Ask whether to write it. Raises ``UsageError`` where not."""
    if not typer.confirm(f"Write sbf-{words.name.replace('_', '-')}", default=True, err=True):
        raise UsageError("nothing was written", code="STOPPED")
