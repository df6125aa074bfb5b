"""The file of AMFI in both of its layouts: every value under its own headings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from recorded import NOW, Recording, later

from sbf_core.testing.suite import conformance

OF_2025, OF_2026 = "amfi-r2-002", "amfi-r2-001"


def fill(recording: Recording, content: bytes, moment: dt.datetime = NOW) -> None:
    recording.add("funds/amfi/net_asset_values", content, extension="txt", moment=moment)


def recorded(folder: Path) -> Path:
    recording = Recording(folder)
    fill(recording, later(OF_2026))
    return recording.folder


test_conformance = conformance("amfi", recording=recorded)


def rows_of(content: bytes) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Category, fund house and fields of each row, by a reader of our own."""
    header, *lines = content.decode("utf-8").split("\r\n")
    names = header.split(";")
    category = house = ""
    for line in lines:
        if ";" in line:
            yield category, house, dict(zip(names, line.split(";"), strict=True))
        elif line.strip():
            opened = line.startswith(("Open Ended", "Close Ended", "Interval Fund"))
            category, house = (line.strip(), house) if opened else (category, line.strip())


def values_of(content: bytes) -> list[tuple[int, dt.date, Decimal | None]]:
    return sorted(
        (
            int(row["Scheme Code"]),
            dt.datetime.strptime(row["Date"], "%d-%b-%Y").date(),
            None if row["Net Asset Value"] == "N.A." else Decimal(row["Net Asset Value"]),
        )
        for _, _, row in rows_of(content)
    )


def schemes_of(content: bytes) -> set[tuple[object, ...]]:
    return {
        (
            int(row["Scheme Code"]), row["Scheme Name"].strip(),
            *(row.get(name, "").strip() or None for name in ("Plan", "Option")),
            *(None if row[name] == "-" else row[name].strip()
              for name in ("ISIN Div Payout/ ISIN Growth", "ISIN Div Reinvestment")),
            category, house,
        )
        for category, house, row in rows_of(content)
    }  # fmt: skip


VALUES = "SELECT scheme, date, value FROM silver.amfi_net_asset_value ORDER BY 1, 2"
SCHEMES = "SELECT scheme, name, plan, option, isin, isin_reinvestment, category, fund_house FROM silver.amfi_scheme"


def test_both_layouts(tmp_path: Path) -> None:
    """2025, then 2026: no value changes because its scheme is called otherwise, and who left is closed."""
    recording = Recording(tmp_path)
    fill(recording, later(OF_2025))
    fill(recording, later(OF_2026), NOW + dt.timedelta(hours=1))
    context = recording.run(plugins=("amfi",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    old, new = values_of(later(OF_2025)), values_of(later(OF_2026))
    by_day = {(scheme, day): value for scheme, day, value in [*old, *new]}
    assert recording.ask(VALUES) == sorted((*key, value) for key, value in by_day.items())
    assert len(old) == 14_025 and len(new) == 14_282
    changed = [1 for scheme, day, value in old if by_day[scheme, day] != value]
    assert recording.ask("SELECT count(*) FROM silver.amfi_net_asset_value_history") == [(len(changed),)]
    stale = sum(day.year < 2026 for _, day, _ in new)
    assert stale == 5428
    schemes = recording.ask(SCHEMES)
    assert set(schemes) == schemes_of(later(OF_2026))
    gone = {scheme for scheme, *_ in old} - {scheme for scheme, *_ in new}
    closed = recording.ask(
        "SELECT DISTINCT scheme FROM silver.amfi_scheme_history "
        "WHERE scheme NOT IN (SELECT scheme FROM silver.amfi_scheme)"
    )
    assert {scheme for (scheme,) in closed} == gone != set()


def test_the_older_layout_alone(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    fill(recording, later(OF_2025))
    context = recording.run(plugins=("amfi",))
    assert (context.errors, context.rows_rejected, context.rows_inserted) == ([], 0, 2 * 14_025)
    assert recording.ask(VALUES) == values_of(later(OF_2025))
    assert set(recording.ask(SCHEMES)) == schemes_of(later(OF_2025))
    assert recording.ask("SELECT count(*) FROM silver.amfi_net_asset_value WHERE value IS NULL") == [(6,)]
    assert recording.ask("SELECT count(*) FROM silver.amfi_scheme WHERE isin_reinvestment = 'Redeemed'") == [(9,)]


def test_a_heading_of_a_new_kind_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    fill(recording, later(OF_2026).replace(b"SBI Mutual Fund", b"SBI Specialised Funds"))
    assert "is no row and no heading that is known" in recording.run(plugins=("amfi",)).errors[0]
    assert recording.ask("SELECT count(*) FROM silver.amfi_net_asset_value") == [(0,)]
