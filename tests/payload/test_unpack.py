"""Wrappings: whole, or refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from sbf_core.errors import PayloadRefused
from sbf_core.payload import unpack
from sbf_core.payload.unpack import unpacked
from sbf_core.payload.xml_prolog import refuse_document_type

TEXT = b"item,price\nnut,1\nbolt,2\n"


def archive(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
        for name, content in members.items():
            files.writestr(name.replace("_", "."), content)
    return target.getvalue()


def unpack_bytes(folder: Path, content: bytes, extension: str, member: str = "") -> tuple[bytes, str]:
    path = folder / f"payload.{extension}"
    path.write_bytes(content)
    plain, found = unpacked(path, extension, member=member, target=folder / "out")
    return plain.read_bytes(), found


def test_what_is_not_packed_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    assert unpacked(path, "csv", member="", target=tmp_path / "out") == (path, "csv")


@pytest.mark.parametrize("extension", ["csv", "json", "xml"])
def test_gzip_of_any_kind_and_of_several_members(tmp_path: Path, extension: str) -> None:
    """RFC 1952, section 2.2: a file is a series of members."""
    packed = gzip.compress(TEXT[:11]) + gzip.compress(TEXT[11:])
    assert unpack_bytes(tmp_path, packed, f"{extension}.gz") == (TEXT, extension)


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-6],
        lambda packed: packed + b"more bytes",
        lambda packed: packed[2:],
        lambda packed: packed[:12] + b"\xff" + packed[13:],
    ],
)
def test_gzip_that_is_cut_or_followed_by_bytes_is_refused(tmp_path: Path, damage: object) -> None:
    with pytest.raises(PayloadRefused, match="cannot be unpacked"):
        unpack_bytes(tmp_path, damage(gzip.compress(TEXT)), "csv.gz")  # type: ignore[operator]


def test_the_member_of_a_zip_by_name_by_pattern_or_the_only_one(tmp_path: Path) -> None:
    assert unpack_bytes(tmp_path, archive(prices_csv=TEXT), "zip") == (TEXT, "csv")
    two = archive(prices_csv=TEXT, notes_txt=b"x")
    assert unpack_bytes(tmp_path, two, "zip", "prices.csv") == (TEXT, "csv")
    assert unpack_bytes(tmp_path, two, "zip", "*.txt") == (b"x", "txt")
    for member in ("", "*", "*.json"):
        with pytest.raises(PayloadRefused, match=r"the zip holds 2 files.*declare member="):
            unpack_bytes(tmp_path, two, "zip", member)


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1000)
    zeros = b"0" * 1_000_000
    for content, extension in ((gzip.compress(zeros), "csv.gz"), (archive(a_csv=zeros), "zip")):
        with pytest.raises(PayloadRefused, match="as a bomb"):
            unpack_bytes(tmp_path, content, extension)
        assert (tmp_path / "out.csv").stat().st_size < 1_000_000


@pytest.mark.parametrize("prolog", ["", '<?xml version="1.0"?>', "<!-- made by a tool -->\n" * 5000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_a_document_type_is_refused_before_it_is_parsed(prolog: str, encoding: str) -> None:
    def stream(body: str) -> io.BytesIO:
        return io.BytesIO((prolog.replace("1.0", f'1.0" encoding="{encoding}') + body).encode(encoding))

    with pytest.raises(PayloadRefused, match="document type"):
        refuse_document_type(stream("<!DOCTYPE a><a/>"))
    plain = stream("<a>" + "<b/>" * 50_000 + "</a>")
    refuse_document_type(plain)
    assert plain.tell() == 0
    refuse_document_type(io.BytesIO(b"no XML"))


def test_a_workbook_that_says_it_is_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1000)
    path = tmp_path / "a.xlsx"
    path.write_bytes(archive(a_xml=b"0" * 1_000_000))
    with zipfile.ZipFile(path) as files, pytest.raises(PayloadRefused, match="as a bomb"):
        unpack.check_unpacked_size(files, path)
