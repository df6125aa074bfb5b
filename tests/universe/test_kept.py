"""A universe that is a dataset: who belonged when stays known, in SQL and for gold, and comes back from Bronze."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import FileRecipe, GoldModel, RunResult, column, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.plugin.manager import PluginManager

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "several-datasets.md"


class Vendor(FakeVendor):
    """Prices of each ticker, and the list of those that belong, out of a file."""

    @hookimpl
    def fetch(self, entry: Any, request: Any, http: Any) -> Any:
        if entry.dataset == "members":
            return http.read(request, "members.csv", extension="csv")
        self.asked.append((request.ticker, request.to_date))  # type: ignore[arg-type]
        assert self.clock is not None
        payload = (
            f'[{{"symbol": "{request.ticker}", "date": "{self.clock.now().date()}", "close": 1, "volume": 1}}]'.encode()
        )
        return RunResult(request=request, address=f"fake://{request.key}", payload=payload, fetched_at=self.clock.now())


def test_who_belonged_when(tmp_path: Path) -> None:
    """With the settings and the gold model of the guide."""
    import attrs

    text = PAGE.read_text(encoding="utf-8")
    settings = next(block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "index_member" in block)
    gold = next(block for block in re.findall(r"```sql\n(.*?)```", text, re.DOTALL) if "index_member" in block)

    @attrs.frozen
    class Member:
        ticker: str = column(key=True)

    members = entry(
        domain="reference", source="own", dataset="members", silver_table="index_member", columns=Member,
        semantics="snapshot", recipe=FileRecipe(path="members.csv"), refresh_after_hours=1, shrink_share_max=1.0,
    )  # fmt: skip
    vendor = Vendor(members, entry(scope="per_ticker", silver_table="example_eod"))
    vendor.models = [GoldModel(name="bars_of_members", key=("symbol", "date"), sql=gold)]
    warehouse = Warehouse(tmp_path / "home", vendor)
    (warehouse.home / "files").mkdir(parents=True)
    (warehouse.home / "sbf.toml").write_text(settings)
    listed = warehouse.home / "files" / "members.csv"
    asked = []
    for content in ("A\nB", "A\nB", "A\nC", "A\nC", "A\nC"):
        listed.write_text(f"ticker\n{content}\n")
        vendor.asked.clear()
        assert warehouse.run(hours_later=24).errors == []
        asked.append(sorted(vendor.asked))
    assert [[ticker for ticker, _ in each] for each in asked] == [
        [],
        ["A", "B"],
        ["A", "B"],
        ["A", "B", "C"],
        ["A", "B", "C"],
    ]
    assert {until for each in asked[3:] for ticker, until in each if ticker == "B"} == {dt.date(2024, 1, 5)}, (
        "not beyond its last day"
    )

    def known() -> list[list[tuple[object, ...]]]:
        days = [dt.datetime(2024, 1, day, 13) for day in (2, 3, 5, 7)]
        sql = "SELECT ticker FROM silver.index_member_as_of(?) ORDER BY 1"
        return [warehouse.ask(sql, [moment]) for moment in days]

    assert known() == [[], [("A",), ("B",)], [("A",), ("C",)], [("A",), ("C",)]]
    built = warehouse.ask("SELECT symbol, CAST(date AS VARCHAR) FROM gold.bars_of_members ORDER BY ALL")
    assert built == [
        ("A", "2024-01-04"), ("A", "2024-01-05"), ("A", "2024-01-06"), ("A", "2024-01-07"),
        ("B", "2024-01-04"), ("C", "2024-01-06"), ("C", "2024-01-07"),
    ]  # fmt: skip
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    before = known()
    rebuild(warehouse.opened(manager))
    assert known() == before
