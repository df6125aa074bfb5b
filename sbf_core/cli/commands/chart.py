"""``sbf chart``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sbf_core.atomic_file import write_whole
from sbf_core.charts.catalog import TableChart, chart_named, charts_of_tables
from sbf_core.charts.draw import draw
from sbf_core.charts.frame import unit_of
from sbf_core.charts.plotted_rows import Plotted, plotted
from sbf_core.charts.table import table_of_chart
from sbf_core.charts.theme import Size, Theme
from sbf_core.charts.vega import specification
from sbf_core.charts.view import View
from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.duck.home_folder import check_outside
from sbf_core.errors import UsageError, environment_fault, nearest
from sbf_core.home.home import Home
from sbf_core.reports.form_days import day_of, moment_of

_ROWS_SHOWN = 20


def chart(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="e.g. gold.fact_price_eod/price, or its last part; none: list them.",
            show_default=False,
        ),
    ] = None,
    home_folder: opt.HomeFolder = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Draw it into this file: .svg or .png; '-' writes SVG to standard output.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this day on.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Up to this day.", show_default=False)
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option("--series", metavar="NAME", help="Draw this one; may be repeated.", show_default=False),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="As it was known then; for silver.", show_default=False)
    ] = None,
    index: Annotated[bool, typer.Option("--index", help="Each line begins with 100.")] = False,
    theme: Annotated[str, typer.Option("--theme", metavar="THEME", help="light or dark.")] = "light",
    size: Annotated[str, typer.Option("--size", metavar="SIZE", help="wide, medium or narrow.")] = "wide",
    as_json: opt.AsJson = False,
) -> None:
    """Draw a chart without a browser, show the numbers behind it, or list the charts that there are.

    Examples: sbf chart | sbf chart rates --series USD --from 2020-01-01 |
    sbf chart gold.fact_price_eod/price --out price.svg
    """
    home = Home.at(home_folder)
    target = _target(out, home)
    picked = _one_of(theme, Theme, "--theme"), _one_of(size, Size, "--size")
    view = View(
        since=day_of(since or ""),
        until=day_of(until or ""),
        series=tuple(series or ()),
        as_of=moment_of(as_of or ""),
        indexed=index,
    )
    entries = home.entries
    with reading(home) as cursor:
        known = charts_of_tables(cursor, entries, home.gold_models(cursor).models)
        if name is None:
            _print_list(known, as_json=as_json)
            return
        drawing = plotted(cursor, chart_named(name, known), view)
        table, total = table_of_chart(cursor, drawing, limit=max(1, drawing.points) if as_json else _ROWS_SHOWN)
    spec = specification(drawing, theme=picked[0], size=picked[1], titled=True)
    if target is not None:
        _write(target, spec)
    elif out == "-":
        _print_svg(spec)
        return
    if as_json:
        print_json(
            "chart",
            chart=drawing.known.id,
            title=drawing.known.title,
            notes=drawing.notes,
            rows=table.records,
            specification=spec,
            out=out,
        )
    elif target is None:
        _print_numbers(drawing, table, total)


def _one_of(text: str, kind: Any, option: str) -> Any:
    if text not in set(kind):
        raise UsageError(
            f"{option} {text!r} is not known", fix=nearest(text, kind) or "use " + " or ".join(kind), code="USAGE"
        )
    return kind(text)


def _target(out: str | None, home: Home) -> Path | None:
    if out is None or out == "-":
        return None
    path = Path(out)
    if path.suffix not in (".svg", ".png"):
        raise UsageError(
            f"a chart cannot be drawn into {out!r}", fix="write a name that ends in .svg or .png", code="USAGE"
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(
            f"there is no folder {str(path.absolute().parent)!r}", fix="make it, or choose another", code="USAGE"
        )
    check_outside(home.config, path, fix="name a file elsewhere")
    return path


def _print_list(known: list[TableChart], *, as_json: bool) -> None:
    if as_json:
        print_json(
            "charts",
            charts=[{"chart": one.id, "kind": one.chart.kind, "title": one.title, "fault": one.fault} for one in known],
        )
        return
    print_table(("chart", "kind", "title"), [(one.id, one.chart.kind, one.fault or one.title) for one in known])


def _write(target: Path, spec: dict[str, Any]) -> None:
    picture = draw(spec, target.suffix.removeprefix("."))
    try:
        write_whole(target, picture, mode=0o644, durable=False)
    except OSError as error:
        raise environment_fault(error, doing="the chart cannot be written", where=str(target)) from error
    tell(f"sbf: {target} was written ({len(picture):,} bytes)")


def _print_svg(spec: dict[str, Any]) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(draw(spec, "svg") + b"\n")  # XML is UTF-8, whatever the terminal speaks
    sys.stdout.buffer.flush()


def _print_numbers(drawing: Plotted, table: Any, total: int) -> None:
    unit = unit_of(drawing)
    print(f"{drawing.known.id}: {drawing.known.title}" + (f" ({unit})" if unit else ""))
    print()
    print_table(table.headers, table.rows)
    for note in drawing.notes:
        tell(f"sbf: note: {note}")
    if len(table.rows) < total:
        print(f"\nThe last {len(table.rows)} of {total:,} rows; --json has all, --out FILE draws them.")
