"""``sbf chart``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sbf_core.cli import options as opt

if TYPE_CHECKING:
    from pathlib import Path

    from sbf_core.drawing.rows import Plotted

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
    home: opt.Home = None,
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
    from sbf_core.drawing.known import chart_named, known_charts
    from sbf_core.drawing.rows import plotted
    from sbf_core.drawing.table import table_of_chart
    from sbf_core.drawing.theme import Size, Theme
    from sbf_core.drawing.vega import specification
    from sbf_core.drawing.view import View
    from sbf_core.facts.when import day_of, moment_of

    target = _target(out, home)
    picked = _one_of(theme, Theme, "--theme"), _one_of(size, Size, "--size")
    view = View(
        since=day_of(since or ""),
        until=day_of(until or ""),
        series=tuple(series or ()),
        as_of=moment_of(as_of or ""),
        indexed=index,
    )
    entries, models, reading = _opened(home)
    with reading as cursor:
        known = known_charts(cursor, entries, models(cursor))
        if name is None:
            _print_list(known, as_json=as_json)
            return
        found = plotted(cursor, chart_named(name, known), view)
        table, total = table_of_chart(cursor, found, limit=max(1, found.points) if as_json else _ROWS_SHOWN)
    spec = specification(found, theme=picked[0], size=picked[1], titled=True)
    if target is not None:
        _write(target, spec)
    elif out == "-":
        _print_svg(spec)
        return
    if as_json:
        from sbf_core.cli.render import print_json

        print_json(
            "chart",
            chart=found.known.id,
            title=found.known.title,
            notes=found.notes,
            rows=table.records,
            specification=spec,
            out=out,
        )
    elif target is None:
        _print_numbers(found, table, total)


def _one_of(text: str, kind: Any, option: str) -> Any:
    from sbf_core.errors import UsageError, nearest

    if text not in set(kind):
        raise UsageError(
            f"{option} {text!r} is not known", fix=nearest(text, kind) or "use " + " or ".join(kind), code="USAGE"
        )
    return kind(text)


def _target(out: str | None, home: str | None) -> Path | None:
    from pathlib import Path

    from sbf_core.duck.home_folder import check_outside
    from sbf_core.errors import UsageError
    from sbf_core.settings.settings import Settings

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
    check_outside(Settings(home).config, path, fix="name a file elsewhere")
    return path


def _opened(home: str | None) -> tuple[Any, Any, Any]:
    from sbf_core.cli.reading import reading
    from sbf_core.facts.models import installed_models
    from sbf_core.plugin.installed import installed_plugins
    from sbf_core.plugin.registry import DatasetRegistry
    from sbf_core.settings.settings import Settings

    settings = Settings(home)
    manager = installed_plugins(settings)
    entries = [owned.entry for owned in DatasetRegistry(manager).datasets.values()]
    return entries, lambda cursor: installed_models(cursor, manager), reading(settings)


def _print_list(known: list[Any], *, as_json: bool) -> None:
    from sbf_core.cli.render import print_json, print_table

    if as_json:
        print_json(
            "charts",
            charts=[{"chart": one.id, "kind": one.chart.kind, "title": one.title, "fault": one.fault} for one in known],
        )
        return
    print_table(("chart", "kind", "title"), [(one.id, one.chart.kind, one.fault or one.title) for one in known])


def _write(target: Path, spec: dict[str, Any]) -> None:
    from sbf_core.cli.render import tell
    from sbf_core.drawing.draw import draw
    from sbf_core.errors import environment_fault
    from sbf_core.whole_file import write_whole

    picture = draw(spec, target.suffix.removeprefix("."))
    try:
        write_whole(target, picture, mode=0o644, durable=False)
    except OSError as error:
        raise environment_fault(error, doing="the chart cannot be written", where=str(target)) from error
    tell(f"sbf: {target} was written ({len(picture):,} bytes)")


def _print_svg(spec: dict[str, Any]) -> None:
    import sys

    from sbf_core.drawing.draw import draw

    sys.stdout.flush()
    sys.stdout.buffer.write(draw(spec, "svg") + b"\n")  # XML is UTF-8, whatever the terminal speaks
    sys.stdout.buffer.flush()


def _print_numbers(found: Plotted, table: Any, total: int) -> None:
    from sbf_core.cli.render import print_table, tell
    from sbf_core.drawing.frame import unit_of

    unit = unit_of(found)
    print(f"{found.known.id}: {found.known.title}" + (f" ({unit})" if unit else ""))
    print()
    print_table(table.headers, table.rows)
    for note in found.notes:
        tell(f"sbf: note: {note}")
    if len(table.rows) < total:
        print(f"\nThe last {len(table.rows)} of {total:,} rows; --json has all, --out FILE draws them.")
