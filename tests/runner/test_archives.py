"""Archives of many files: each member is read, the archive is kept once, and what changed in it is a revision."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import Archive, Csv, DataRules, DatasetKeymapEntry, FileRecipe, UsageError, column, hookimpl
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.reports.row_place import place_in_payload
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext
from sbf_core.testing.kit import check_all
from sbf_core.testing.outcome import FAILED
from sbf_core.testing.subject import Subject

OLD = dt.datetime(2023, 12, 1, tzinfo=dt.UTC).timestamp()


@attrs.frozen
class Price:
    """One price of one day."""

    symbol: str = column(key=True, source="member.symbol")
    day: dt.date = column(key=True, row_date=True)
    close: float = column()


def packed(members: dict[str, str | bytes], kind: str = "zip") -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in members.items():
                archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    else:
        with tarfile.open(fileobj=out, mode="w:gz" if kind == "tar.gz" else "w") as plain:
            for name, text in members.items():
                info = tarfile.TarInfo(name)
                data = text.encode() if isinstance(text, str) else text
                info.size = len(data)
                plain.addfile(info, io.BytesIO(data))
    return out.getvalue()


def csv(*rows: str) -> str:
    return "\n".join(("day,close", *rows)) + "\n"


class Home:
    """A home with an archive in its folder of files."""

    def __init__(
        self, home: Path, *, kind: str = "zip", columns: Any = Price, recipe: Any = None, **entry: Any
    ) -> None:
        usual = {"archive": Archive(names="**/*.csv", parts=r"(?:.*/)?(?P<symbol>[^/]+)\.csv")}
        self.entry = DatasetKeymapEntry(
            domain="prices", source="bulk", dataset="eod", silver_table="px", columns=columns, title="Prices",
            terms="our own", source_url="https://example.com/", refresh_after_hours=0.1,
            recipe=FileRecipe(**{"path": f"bulk.{kind}", "extension": kind, **(recipe or {})}), **{**usual, **entry},
        )  # fmt: skip
        self.warehouse = Warehouse(home, Declared(self.entry))
        self.file = home / "files" / f"bulk.{kind}"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.kind = kind

    def put(self, members: dict[str, Any]) -> None:
        self.file.write_bytes(packed(members, self.kind))

    def run(self, **more: Any) -> RunContext:
        return self.warehouse.run(hours_later=1, **more)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return self.warehouse.ask("SELECT symbol, day::VARCHAR, close FROM silver.px ORDER BY ALL")

    @property
    def digests(self) -> dict[str, str]:
        with self.warehouse.open() as cursor:
            return {one.table: one.sha256 for one in digest_tables(cursor, keys={})}


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def failed(context: RunContext) -> str:
    (failure,) = context.failures
    return str(failure)


MEMBERS: dict[str, Any] = {
    "data/us/a.csv": csv("2024-01-01,1.5", "2024-01-02,2"), "data/us/b.csv": csv("2024-01-01,3"),
    "data/readme.txt": "no rows", "c.csv": csv("2024-01-01,4"),
}  # fmt: skip
KEPT = [("a", "2024-01-01", 1.5), ("a", "2024-01-02", 2.0), ("b", "2024-01-01", 3.0), ("c", "2024-01-01", 4.0)]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_each_member_is_read_and_the_archive_is_kept_once(tmp_path: Path, kind: str) -> None:
    home = Home(tmp_path / "home", kind=kind)
    home.put(MEMBERS)
    context = home.run()
    assert is_fine(context) and (context.files, context.rows_inserted) == (1, 4)
    assert home.rows == KEPT
    (payload,) = home.warehouse.bronze_files()
    assert (home.warehouse.home / "bronze" / payload).read_bytes() == home.file.read_bytes()
    assert home.run().unchanged_files == 1
    home.put({**MEMBERS, "data/us/b.csv": csv("2024-01-01,3.5"), "d.csv": csv("2024-01-01,5")})
    context = home.run()
    assert (context.rows_inserted, context.rows_updated, context.rows_unchanged) == (1, 1, 3)
    assert home.warehouse.ask("SELECT symbol, close FROM silver.px_history") == [("b", 3.0)], "a revision of it alone"
    counts_add_up(home.warehouse)
    assert Verification(home.warehouse.opened()).run().findings == []
    before = home.digests
    rebuild(home.warehouse.opened())
    assert home.digests == before
    assert not list((home.warehouse.home / "staging").glob("*.csv"))


def test_rows_that_are_not_regular_are_named_by_their_member(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", reject_share_max=0.9)
    odd = 'day,close\n2024-01-01,"2\n",9\n2024-01-03,3\n'
    home.put({"a.csv": csv("2024-01-01,1", "2024-01-02,none"), "b.csv": odd})
    context = home.run()
    assert context.rows_rejected >= 2 and context.rows_seen == context.rows_rejected + context.rows_inserted
    assert ("a", "2024-01-01", 1.0) in home.rows and ("b", "2024-01-03", 3.0) in home.rows
    counts_add_up(home.warehouse)


def test_what_the_engine_cannot_read_is_read_record_by_record(tmp_path: Path) -> None:
    """In one payload of several, and in one member of several."""
    home = Home(tmp_path / "home", recipe={"path": "drops/*.zip", "each": "file"}, scope="per_ticker")
    drops = home.file.parent / "drops"
    drops.mkdir()
    odd = 'day,close\r2024-01-01,"7"\r2024-01-02,8\r'
    for number in range(3):
        members = {f"s{number}.csv": csv("2024-01-01,1"), f"t{number}.csv": odd if number == 1 else csv("2024-01-01,2")}
        (drops / f"{number}.zip").write_bytes(packed(members))
    assert is_fine(home.run())
    assert home.rows == [
        ("s0", "2024-01-01", 1.0), ("s1", "2024-01-01", 1.0), ("s2", "2024-01-01", 1.0), ("t0", "2024-01-01", 2.0),
        ("t1", "2024-01-01", 7.0), ("t1", "2024-01-02", 8.0), ("t2", "2024-01-01", 2.0),
    ]  # fmt: skip
    counts_add_up(home.warehouse)


def test_a_member_that_cannot_be_read_costs_its_archive(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", recipe={"path": "drops/*.zip", "each": "file"}, scope="per_ticker")
    drops = home.file.parent / "drops"
    drops.mkdir()
    (drops / "a.zip").write_bytes(packed({"a.csv": csv("2024-01-01,1"), "b.csv": csv("2024-01-01,2")}))
    (drops / "b.zip").write_bytes(packed({"c.csv": csv("2024-01-01,1"), "d.csv": "something,else\n1,2\n"}))
    context = home.run()
    assert "holds 'd.csv', which " in failed(context)
    assert [row[0] for row in home.rows] == ["a", "b"]


def test_members_of_json_and_the_name_itself(tmp_path: Path) -> None:
    @attrs.frozen
    class Named:
        name: str = column(key=True, source="member.name")
        day: dt.date = column(key=True, source="member.day", date_format="%Y%m%d")
        close: float = column()

    home = Home(
        tmp_path / "home",
        columns=Named,
        rows_at="rows",
        archive=Archive(names="*.json", parts=r"\w_(?P<day>\d+)\.json"),
    )
    home.put({f"x_2024010{n}.json": json.dumps({"rows": [{"close": n}, {"close": n}]}) for n in (1, 2)})
    assert is_fine(home.run())
    assert home.warehouse.ask("SELECT name, day::VARCHAR, close FROM silver.px ORDER BY ALL") == [
        ("x_20240101.json", "2024-01-01", 1.0), ("x_20240102.json", "2024-01-02", 2.0),
    ]  # fmt: skip


def test_of_two_members_with_one_key_the_later_name_counts_where_that_is_said(tmp_path: Path) -> None:
    entry: dict[str, Any] = {
        "on_duplicate": "last",
        "reject_share_max": 1,
        "archive": Archive(names="*.csv", parts=r"\d+_(?P<symbol>\w+)\.csv"),
    }
    home = Home(tmp_path / "home", **entry)
    home.put({f"{number:02}_a.csv": csv(f"2024-01-01,{number}") for number in reversed(range(30))})
    assert is_fine(home.run())
    assert home.rows == [("a", "2024-01-01", 29.0)]


def test_a_snapshot_of_an_archive_closes_what_it_lacks(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", semantics="snapshot", shrink_share_max=1)
    home.put(MEMBERS)
    assert is_fine(home.run())
    home.put({"c.csv": MEMBERS["c.csv"]})
    assert is_fine(home.run())
    assert home.rows == KEPT[-1:]


def test_empty_members_are_no_rows_where_that_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", is_data=DataRules(may_be_empty=True))
    home.put({"a.csv": csv("2024-01-01,1"), "b.csv": "", "c.csv": "day,close\n"})
    assert is_fine(home.run())
    assert home.rows == [("a", "2024-01-01", 1.0)]
    home.put({"b.csv": ""})
    assert home.run().rows_seen == 0
    other = Home(tmp_path / "other")
    other.put({"a.csv": csv("2024-01-01,1"), "b.csv": ""})
    assert "holds 'b.csv', which" in failed(other.run())


def encrypted() -> bytes:
    content = bytearray(packed({"a.csv": csv("2024-01-01,1")}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def with_link(kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as archive:
            info = zipfile.ZipInfo("a.csv")
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/hostname")
    else:
        with tarfile.open(fileobj=out, mode="w") as plain:
            link = tarfile.TarInfo("a.csv")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
            plain.addfile(link)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content", "told"),
    [
        ("zip", b"PK\x05\x06 no zip", "is packed and cannot be unpacked"),
        ("tar", b"no tar at all" * 100, "is packed and cannot be unpacked"),
        ("tar.gz", b"\x1f\x8b no gzip", "is packed and cannot be unpacked"),
        ("zip", packed({"a.txt": "x"}), "holds 1 files, and none of them is '**/*.csv': a.txt"),
        ("zip", packed({"a.csv": csv("2024-01-01," + "1" * 50_000_000)}), "which is refused as a bomb"),
        ("zip", packed({f"{n}.csv": "0" * 900_000 for n in range(99)}), "which is refused as a bomb"),
        ("tar.gz", packed({"a.csv": "0" * 50_000_000}, "tar.gz"), "which is refused as a bomb"),
        ("zip", encrypted(), "holds 'a.csv', which is encrypted"),
        ("zip", with_link("zip"), "holds 'a.csv', which is a link"),
        ("tar", with_link("tar"), "holds 'a.csv', which is a link or a device"),
        ("tar", packed({"a.csv": csv("2024-01-01,1")}, "tar")[:600], "is packed and cannot be unpacked"),
    ],
)
def test_what_is_no_archive_of_files_is_refused(tmp_path: Path, kind: str, content: bytes, told: str) -> None:
    home = Home(tmp_path / "home", kind=kind)
    home.file.write_bytes(content)
    context = home.run()
    assert told in failed(context)
    assert home.warehouse.ask("SELECT count(*) FROM silver.px") == [(0,)]


@pytest.mark.parametrize(
    ("members", "archive", "told"),
    [
        ({"a.csv": "x", "b.json": "{}"}, {"names": "*"}, "holds files of several kinds: csv, json"),
        ({"a.csv": "x"}, {"parts": r"(?P<symbol>\d)\.csv"}, "holds 'a.csv', which parts="),
        ({"a.csv": "x"}, {"parts": r"(?P<symbol>\d)?a\.csv"}, "does not match with all its groups"),
    ],
)
def test_what_is_not_said_of_a_member_is_told(
    tmp_path: Path, members: dict[str, str], archive: dict[str, Any], told: str
) -> None:
    home = Home(tmp_path / "home", archive=Archive(**{"parts": r"(?P<symbol>.)\..*", **archive}))
    home.put(members)
    assert told in failed(home.run())


def test_nothing_is_unpacked_outside(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.put(
        {"../../evil.csv": csv("2024-01-01,1"), "/tmp/evil2.csv": csv("2024-01-01,2"), "a.csv": csv("2024-01-01,3")}
    )
    before = {path for path in tmp_path.rglob("*") if "evil" in path.name}
    home.run()
    assert not before and not list(tmp_path.rglob("*evil*"))
    assert not os.path.exists("/tmp/evil2.csv")


def test_a_value_leads_back_to_its_member(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.put(MEMBERS)
    assert is_fine(home.run())
    path = home.warehouse.home / "bronze" / home.warehouse.bronze_files()[0]
    place = place_in_payload(path, "zip", home.entry, {"symbol": "b", "day": dt.date(2024, 1, 1)}, "close")
    assert (place.where, place.raw) == ("data/us/b.csv, line 2", "3")


def test_its_recording_passes_the_checks_of_plugins(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.put(MEMBERS)
    home.run()
    home.put({**MEMBERS, "data/us/b.csv": csv("2024-01-01,3.5")})
    home.run()
    subject = Subject("bulk", tmp_path / "work", plugin=Declared(home.entry), recording=home.warehouse.home / "bronze")
    told = {outcome.check.name: outcome.text for outcome in check_all(subject) if outcome.state == FAILED}
    assert set(told) <= {"docs"}, told


class Hooked(Declared):
    """A plugin with a hook of its own."""

    @hookimpl
    def promote(self, entry: Any, batch: Any) -> None:
        return None


def test_a_hook_is_not_asked_for_the_members(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.put(MEMBERS)
    warehouse = Warehouse(tmp_path / "home", Hooked(home.entry))
    assert "and the plugin has the hook promote" in failed(warehouse.run(hours_later=1))


def test_a_replay_and_a_changed_declaration_read_it_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", archive=Archive(names="*.csv", parts=r"(?P<symbol>.)\.csv"))
    home.put(MEMBERS)
    assert is_fine(home.run())
    assert home.rows == KEPT[-1:]
    home.file.unlink()
    wider = Home(tmp_path / "home")
    wider.run(options=RunOptions(plugins=("fake",)))
    assert wider.rows == KEPT, "the table is made again"
    again = Warehouse(tmp_path / "again", Declared(wider.entry))
    assert is_fine(again.run(options=RunOptions(replay=str(home.warehouse.home))))
    assert again.ask("SELECT count(*) FROM silver.px") == [(4,)]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"archive": None}, "takes 'member.symbol', and no archive is declared"),
        ({"member": "*.csv"}, "is one file of a payload, and archive means each of them"),
        ({"kind": "csv"}, "an archive is stored as zip, tar, tar.gz, not as csv"),
        ({"archive": Archive(parts="(?P<day>.*)")}, "takes 'member.symbol', which is no part of a member's name"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, entry: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        Home(tmp_path / "home", **entry)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "wrong", [{"names": "a/**"}, {"names": "a//b"}, {"names": "x**/a"}, {"parts": "(?P<name>.)"}, {"parts": "("}]
)
def test_an_archive_that_means_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Archive(**wrong)


def test_an_archive_says_the_same_in_toml() -> None:
    declared = {
        "domain": "p", "source": "b", "dataset": "e", "silver_table": "px",
        "columns": [{"name": "n", "type": "VARCHAR", "key": True, "source": "member.n"}],
        "archive": {"names": "*.csv", "parts": "(?P<n>.*)"}, "recipe": {"path": "x.zip", "extension": "zip"},
    }  # fmt: skip
    assert entry_from_mapping(declared).archive == Archive(names="*.csv", parts="(?P<n>.*)")


def test_a_member_that_fails_half_way_takes_its_archive_with_it(tmp_path: Path) -> None:
    """It is found only when it is read record by record, and the rows of the others are there already."""
    home = Home(tmp_path / "home", recipe={"path": "drops/*.zip", "each": "file"}, scope="per_ticker",
                format=Csv(encoding="utf-8"))  # fmt: skip
    drops = home.file.parent / "drops"
    drops.mkdir()
    broken = b'day,close\n2024-01-01,"3\n' + b"\xff\xfe\n"
    (drops / "a.zip").write_bytes(packed({"a.csv": csv("2024-01-01,1"), "b.csv": broken, "c.csv": csv("2024-01-01,2")}))
    (drops / "b.zip").write_bytes(packed({"d.csv": csv("2024-01-01,1")}))
    context = home.run()
    assert "holds 'b.csv', which" in failed(context)
    assert [row[0] for row in home.rows] == ["d"]
    counts_add_up(home.warehouse)
