"""``sbf plugins new``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sbf_core.cli.render import print_table, tell
from sbf_core.clock import clock_of_process
from sbf_core.counted import counted
from sbf_core.duck.home_folder import check_outside
from sbf_core.errors import SbfError, UsageError
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import name_list
from sbf_core.scaffold.address import Template, template_of
from sbf_core.scaffold.example import example
from sbf_core.scaffold.fetch_once import SAMPLE_BYTES_MAX, fetch_once
from sbf_core.scaffold.licences import LICENCES
from sbf_core.scaffold.naming import check_new_name
from sbf_core.scaffold.package import write_package
from sbf_core.scaffold.proposal import Proposal, Sampled, Words, file_sample, propose, sample_request
from sbf_core.settings.settings import Settings
from sbf_core.shell_words import typed
from sbf_core.vocabulary import check_name


def plugins_new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the plugin, its dataset and its table, e.g. oil_price.")
    ],
    from_url: Annotated[
        str | None,
        typer.Option(
            "--from-url",
            metavar="URL",
            help="Fetch one payload, and infer the declaration from it.",
            show_default=False,
        ),
    ] = None,
    from_file: Annotated[
        str | None, typer.Option("--from-file", metavar="FILE", help="The same, out of a file.", show_default=False)
    ] = None,
    from_sdmx: Annotated[
        str | None,
        typer.Option(
            "--from-sdmx",
            metavar="URL|FILE",
            help="Beside either: the data structure of an SDMX flow, which says what the columns are.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="An example to fill in: rest, csv or custom.", show_default=False),
    ] = None,
    ticker: Annotated[
        str,
        typer.Option(
            "--ticker", metavar="TICKER", help="The ticker in the URL, where there is one for each.", show_default=False
        ),
    ] = "",
    key: Annotated[
        str | None, typer.Option("--key", metavar="A,B", help="The columns that make a row unique.", show_default=False)
    ] = None,
    row_date: Annotated[
        str, typer.Option("--row-date", metavar="COLUMN", help="The column with the date of a row.", show_default=False)
    ] = "",
    rows_at: Annotated[
        str | None,
        typer.Option(
            "--rows-at",
            metavar="PATH",
            help="Where the rows are: data.items in JSON, a tag in XML.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[str, typer.Option("--into", metavar="FOLDER", help="Where the package is made.")] = ".",
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="WORD", help="What it is about, e.g. fx.", show_default=False)
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What it is, in a few words.", show_default=False)
    ] = None,
    terms: Annotated[
        str | None, typer.Option("--terms", metavar="TEXT", help="Terms of use of the data.", show_default=False)
    ] = None,
    source_url: Annotated[
        str | None,
        typer.Option("--source-url", metavar="URL", help="Where the data are described.", show_default=False),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence",
            metavar="SPDX",
            help="Apache-2.0, MIT, BSD-3-Clause or LicenseRef-Proprietary.",
            show_default=False,
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="NAME", help="Who holds the copyright.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Write an installable package with a plugin, a recorded sample and tests,
    inferred from a payload or as an example.

    Examples: sbf plugins new oil_price --from-url https://... | sbf plugins new rain --from-file rain.csv |
    sbf plugins new mine --kind custom | sbf plugins new rates --from-url https://... --from-sdmx https://...
    """
    words = {
        "domain": domain,
        "title": title,
        "terms": terms,
        "source_url": source_url,
        "licence": licence,
        "author": author,
    }
    keys = name_list(key, what="--key") if key is not None else ()

    ways = [
        option for option, given in (("--from-url", from_url), ("--from-file", from_file), ("--kind", kind)) if given
    ]
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} are two ways to begin", fix="give one", code="USAGE")
    if from_sdmx and (not (from_url or from_file) or rows_at is not None or key is not None or row_date):
        what = "--from-sdmx says what the columns are, of data that --from-url or --from-file gives"
        fix = "give one of them, without --key, --row-date and --rows-at"
        raise UsageError(what, fix=fix, code="USAGE")
    folder = check_new_name(name, into=Path(into).expanduser(), manager=PluginManager())
    check_outside(Settings(None).config, folder, fix="name a folder elsewhere with --into")
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if not ways:
        if not ask:
            raise UsageError(
                "nothing says what the plugin begins with",
                fix="give --from-url, --from-file, or --kind rest, csv or custom",
                code="USAGE",
            )
        kind, from_url, from_file = _ask_way()
    said = _words(name, words, ask=ask)
    proposal = (
        _of_structure(said, from_sdmx, from_url=from_url, from_file=from_file, ticker=ticker)
        if from_sdmx
        else _proposal(
            said,
            kind=kind,
            from_url=from_url,
            from_file=from_file,
            ticker=ticker,
            rows_at=rows_at,
            key=keys,
            row_date=row_date,
        )
    )
    _show(proposal)
    if ask and from_sdmx:
        _confirm(said)
    elif ask:
        proposal = _confirmed(proposal, said, from_url=from_url, from_file=from_file, ticker=ticker, rows_at=rows_at)
    files = write_package(proposal, folder, today=clock_of_process().now().date())
    print(f"\nMade {folder} with {counted(len(files), 'file')} and the recorded sample.\n")
    print("Try next:")
    print(f"  python -m pip install -e {typed(folder)}")
    print(f"  sbf run --plugins {name} --replay sample")
    print(f"  sbf plugins check {name}")
    if proposal.doubts:
        print(f"  edit {typed(folder / ('sbf_' + name) / 'plugin.py')}: look for `unsure`")


def _proposal(
    words: Words,
    *,
    kind: str | None,
    from_url: str | None,
    from_file: str | None,
    ticker: str,
    rows_at: str | None,
    key: tuple[str, ...],
    row_date: str,
) -> Proposal:
    clock = clock_of_process()
    if from_file:
        sample = file_sample(Path(from_file).expanduser(), now=clock.now(), bytes_max=SAMPLE_BYTES_MAX)
        return propose(words, sample, template=None, where=from_file, rows_at=rows_at, key=key, row_date=row_date)
    if from_url:
        template = template_of(from_url, name=words.name, ticker=ticker)
        request = sample_request(words, template, source=template.source)
        sample = fetch_once(template, request, clock=clock)
        return propose(
            words, sample, template=template, where=template.url, rows_at=rows_at, key=key, row_date=row_date
        )
    return example(kind or "", words, now=clock.now())


def _of_structure(
    words: Words, from_sdmx: str, *, from_url: str | None, from_file: str | None, ticker: str
) -> Proposal:
    """The plugin of a flow whose data structure is at an address, or in a file."""
    from sbf_core.scaffold.sdmx_proposal import propose_sdmx  # three more modules
    from sbf_core.scaffold.sdmx_structure import structure_of

    clock = clock_of_process()

    def sampled(url: str | None, file: str | None, ticker: str = "") -> tuple[Sampled, Template | None, str]:
        if file:
            path = Path(file).expanduser()
            return file_sample(path, now=clock.now(), bytes_max=SAMPLE_BYTES_MAX), None, file
        template = template_of(url or "", name=words.name, ticker=ticker)
        request = sample_request(words, template, source=template.source)
        return fetch_once(template, request, clock=clock), template, template.url

    is_address = from_sdmx.startswith(("http://", "https://"))
    if not is_address and not Path(from_sdmx).expanduser().is_file():
        what = f"--from-sdmx {from_sdmx!r} is neither an address nor a file"
        fix = "write https://... of the dataflow, or of its data structure; the plugin sdmx names it where it knows it"
        raise UsageError(what, fix=fix, code="URL")
    message, _, where = sampled(*((from_sdmx, None) if is_address else (None, from_sdmx)))
    structure = structure_of(message.payload, where=where)
    sample, template, where = sampled(from_url, from_file, ticker)
    return propose_sdmx(words, sample, structure, template=template, where=where)


def _show(proposal: Proposal) -> None:
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


def _words(name: str, given: Mapping[str, str | None], *, ask: bool) -> Words:
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


def _ask_way() -> tuple[str | None, str | None, str | None]:
    answer = _asked("An address, a file, or rest, csv or custom for an example", "rest")
    if answer.startswith(("http://", "https://")):
        return None, answer, None
    return (None, None, answer) if Path(answer).expanduser().is_file() else (answer, None, None)


def _confirmed(
    proposal: Proposal, words: Words, *, from_url: str | None, from_file: str | None, ticker: str, rows_at: str | None
) -> Proposal:
    """Ask whether it is right; key and date can be changed until it is. The payload is not fetched again."""
    while from_url or from_file:
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
                where=from_url or from_file or "",
                rows_at=rows_at,
                key=named,
                row_date=day,
            )
            break
        except SbfError as error:
            tell(error.line())
    _confirm(words)
    return proposal


def _confirm(words: Words) -> None:
    if not typer.confirm(f"Write sbf-{words.name.replace('_', '-')}", default=True, err=True):
        raise UsageError("nothing was written", code="STOPPED")
