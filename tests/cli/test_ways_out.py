"""`sbf status` names every way out of what is held, and each works as it is typed."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from hang import HANG_SECONDS
from warm_sbf import WARM

PLUGIN = """
import attrs
from sbf_core.api import DatasetKeymapEntry, FileRecipe, column, hookimpl

@attrs.frozen
class Row:
    item: str = column(key=True)
    lot: str = column({lot})
    measure: str{maybe} = column({measure})

@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="shop", source="own", dataset="stock", silver_table="stock", columns=Row,
                               recipe=FileRecipe(path="stock.csv"), refresh_after_hours=0)]
"""


class Shop:
    """A home with a plugin whose declaration and whose file are written anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, folder / "site"
        info = self.site / "shop-0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 0\n")
        (info / "entry_points.txt").write_text("[sbf.plugins]\nshop = sbf_shop\n")
        (folder / "sbf-data" / "files").mkdir(parents=True)
        self.declare()

    def declare(self, *, lot: str = "key=True", measure: str = "", maybe: str = "") -> None:
        text = PLUGIN.replace("{lot}", lot).replace("{measure}", measure).replace("{maybe}", maybe)
        (self.site / "sbf_shop.py").write_text(text)

    def put(self, text: str) -> None:
        (self.folder / "sbf-data" / "files" / "stock.csv").write_text(text)

    def __call__(self, *words: str) -> Any:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
        paths = os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment |= {"PYTHONPATH": paths, "SBF_PLUGINS": "shop"}
        return WARM.run(words, cwd=self.folder, env=environment, timeout=HANG_SECONDS)

    def ways(self) -> dict[str, str]:
        (one,) = [each for each in json.loads(self("status", "--json").stdout)["problems"] if "held" in each["what"]]
        assert one["fix"] in [way["command"] for way in one["ways"]]
        return {way["to"]: way["command"] for way in one["ways"]}

    def type(self, command: str) -> Any:
        return self(*shlex.split(command)[1:])

    def rows(self) -> Any:
        return json.loads(self("sql", "SELECT * FROM silver.stock ORDER BY 1, 2", "--json").stdout)["rows"]


FIRST, SECOND = "item,lot,measure\na,1,x\n", "item,lot,measure\na,2,y\n"
GONE = "item,lot,size\na,3,z\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    one = Shop(tmp_path)
    for text in (FIRST, SECOND):
        one.put(text)
        assert one("run").returncode == 0
    return one


def hold(shop: Shop, what: str) -> None:
    if what == "table":
        shop.declare(lot="")
    else:
        shop.put(GONE)
        shop.declare(maybe=" | None")
    assert shop("run").returncode == 1


@pytest.mark.parametrize("what", ["table", "payload"])
def test_each_way_out_works_as_it_is_typed(shop: Shop, what: str) -> None:
    hold(shop, what)
    shown = shop("status").stdout
    ways = shop.ways()
    assert all(command in shown and to in shown for to, command in ways.items())
    (look, accept, other) = ways
    looked = shop.type(ways[look])
    assert looked.returncode == 0 and "held" in looked.stdout
    assert ways[accept] in looked.stdout
    if what == "table":
        shop.declare()
        assert other.startswith("refuse it: put the declaration back")
    else:
        shop.declare(maybe=" | None", measure='also=("size",)')
        assert other.startswith("mend it: declare the field")
    done = shop.type(ways[other])
    assert done.returncode == 0, done.stderr
    assert "held" not in shop("status").stdout
    assert len(shop.rows()) == (2 if what == "table" else 3)


@pytest.mark.parametrize("what", ["table", "payload"])
def test_what_is_held_is_accepted_as_it_is_typed(shop: Shop, what: str) -> None:
    hold(shop, what)
    done = shop.type(shop.ways()["accept it"])
    assert done.returncode == 0, done.stderr
    assert "held" not in shop("status").stdout
    assert len(shop.rows()) == (1 if what == "table" else 3)
