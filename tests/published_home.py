"""A home with what a run leaves for readers, and how it is looked at and repaired."""

from __future__ import annotations

from pathlib import Path

from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.care.verify_report import VerifyReport
from sbf_core.gold.model import GoldModel
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.settings.settings import Settings

ROWS = [price(f"S{number:04}", "2024-01-02", close=f"{number}.25", volume=number) for number in range(500)]


def published_home(tmp_path: Path) -> Warehouse:
    """A home after a run that left all that readers want."""
    vendor = FakeVendor(entry())
    vendor.models = [GoldModel(name="last", key=("symbol",), sql="SELECT symbol, close FROM silver.px")]
    vendor.says(ROWS)
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    return warehouse


def manager_of(warehouse: Warehouse) -> PluginManager:
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    return manager


def looked(warehouse: Warehouse) -> VerifyReport:
    settings = Settings(warehouse.home, environment={})
    return Verification(Home(settings, clock=warehouse.clock, plugins=manager_of(warehouse))).run()


def found(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Kind and subject of every finding."""
    return [(finding.kind, finding.subject) for finding in looked(warehouse).findings]


def repaired(warehouse: Warehouse) -> tuple[object, ...]:
    warehouse.clock.advance(hours=1)
    return Repair(warehouse.opened(manager_of(warehouse))).run().after
