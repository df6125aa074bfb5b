"""What takes space in a home, and what of it could be had again or is not needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import attrs
import duckdb

from sbf_core.duck.config import DuckDbConfig
from sbf_core.reports.left_overs import LeftKind, LeftOver, left_files
from sbf_core.value import Value

#: Payloads up to this size may be packed, see docs/how-to/packs.md.
_SMALL_BYTES = 64 * 1024
_BLOCK_BYTES = 512
_DATASET_PARTS = 3
_AGAIN = """
SELECT coalesce(sum(content_length_bytes * (times - 1)), 0), coalesce(sum(times - 1), 0) FROM (
    SELECT any_value(content_length_bytes) AS content_length_bytes, count(*) AS times
    FROM ops.bronze_manifest GROUP BY payload_hash)
"""


class Layer(StrEnum):
    """The parts of a home."""

    BRONZE = "bronze"
    DATABASE = "database"
    PUBLISHED = "published"
    BACKUPS = "backups"
    QUARANTINE = "quarantine"
    LOGS = "logs"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Use(Value):
    """What some files take.

    Attributes:
        layer: where they lie.
        name: the dataset, or the path below the home; empty for all of a layer.
        files: how many.
        byte_count: their sizes together.
        on_disk: what their blocks take; on systems that do not say, the same.
    """

    layer: Layer
    name: str
    files: int
    byte_count: int
    on_disk: int


@attrs.frozen(kw_only=True)
class DiskUse(Value):
    """What a home takes.

    Attributes:
        uses: by layer and name, the largest first.
        left: what nothing needs, see ``left_files``.
        small_slack: what blocks of small payloads, a file each, take beyond their sizes.
        again_payloads, again_bytes: payloads with bytes that another has, too, and their sizes; None where there is no
            database.
    """

    uses: tuple[Use, ...]
    left: tuple[LeftOver, ...]
    small_slack: int
    again_payloads: int | None = None
    again_bytes: int | None = None

    @property
    def on_disk(self) -> int:
        """What all of it takes."""
        return sum(one.on_disk for one in self.uses)

    def left_bytes(self, kinds: frozenset[LeftKind]) -> int:
        """What is left over of some kinds."""
        return sum(one.byte_count for one in self.left if one.kind in kinds)


def disk_use(config: DuckDbConfig, cursor: duckdb.DuckDBPyConnection | None = None) -> DiskUse:
    """Look at every file of a home once. Symbolic links are not followed.

    Args:
        config: of the home.
        cursor: on its database; None where there is none.
    """
    sums: dict[tuple[Layer, str], list[int]] = {}
    slack = 0
    for path, size, blocks in _files(config.home):
        layer, name = _place(path.relative_to(config.home).parts)
        total = sums.setdefault((layer, name), [0, 0, 0])
        for place, value in enumerate((1, size, blocks)):
            total[place] += value
        if layer is Layer.BRONZE and not name.startswith("_") and size <= _SMALL_BYTES:
            slack += max(blocks - size, 0)
    uses = [
        Use(layer=layer, name=name, files=files, byte_count=size, on_disk=blocks)
        for (layer, name), (files, size, blocks) in sums.items()
    ]
    uses.sort(key=lambda one: (-one.on_disk, one.layer, one.name))
    again = (None, None) if cursor is None else _again(cursor)
    return DiskUse(
        uses=tuple(uses), left=tuple(left_files(config, alone=False)), small_slack=slack,
        again_bytes=again[0], again_payloads=again[1],
    )  # fmt: skip


def layers(use: DiskUse) -> Mapping[Layer, Use]:
    """The sums of the layers, the largest first."""
    sums: dict[Layer, Use] = {}
    for one in use.uses:
        before = sums.get(one.layer) or Use(layer=one.layer, name="", files=0, byte_count=0, on_disk=0)
        sums[one.layer] = attrs.evolve(
            before, files=before.files + one.files, byte_count=before.byte_count + one.byte_count,
            on_disk=before.on_disk + one.on_disk,
        )  # fmt: skip
    return dict(sorted(sums.items(), key=lambda item: -item[1].on_disk))


def _files(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Each file with its size and what its blocks take. One that goes meanwhile is left out."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            try:
                facts = path.lstat()
            except OSError:
                continue
            blocks = getattr(facts, "st_blocks", None)
            yield path, facts.st_size, facts.st_size if blocks is None else blocks * _BLOCK_BYTES


def _place(parts: tuple[str, ...]) -> tuple[Layer, str]:
    top = parts[0]
    if top == "bronze" and len(parts) > 1:
        within = parts[1:-1]
        return Layer.BRONZE, within[0] if within and within[0].startswith("_") else "/".join(within[:_DATASET_PARTS])
    if top in ("sbf.duckdb", "sbf.duckdb.wal"):
        return Layer.DATABASE, ""
    named = {layer.value: layer for layer in (Layer.PUBLISHED, Layer.BACKUPS, Layer.QUARANTINE, Layer.LOGS)}
    return named.get(top, Layer.OTHER), "" if top in named else top


def _again(cursor: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    ((byte_count, payloads),) = cursor.execute(_AGAIN).fetchall()
    return int(byte_count), int(payloads)
