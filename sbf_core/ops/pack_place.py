"""Where packs are, below Bronze: in the folder ``_packs`` of their dataset, called ``<run>-<number>.warc``.

The form of a pack: ``bronze.pack_format``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sbf_core.safe_paths import why_outside

#: In the folder of a dataset; no ticker is encoded like this.
PACK_FOLDER = "_packs"
#: No pack is longer: one of 16 MiB gets no further payload, and none is larger than 64 KiB.
_END_MAX = 32 * 1024**2
_NAME = re.compile(rf"(?P<folder>.+)/{PACK_FOLDER}/[^/]+-[0-9]{{1,9}}\.warc")


def pack_path(folder: str, run_id: str, number: int) -> str:
    """The place of a pack below Bronze, with ``/``; ``folder`` is that of its dataset."""
    return f"{folder}/{PACK_FOLDER}/{run_id}-{number:03}.warc"


def is_pack(path: str) -> bool:
    """Whether a file is named as packs are."""
    return _NAME.fullmatch(path) is not None


def why_no_place(pack: str, offset: int, rel_path: str, byte_count: int) -> str:
    """Why a pack and an offset are no place of a payload that sbf gave; empty where they are one, and for no pack."""
    if pack == "":
        return "it has an offset without a pack" if offset else ""
    why, folder = _folder_of(pack)
    if why:
        return why
    if rel_path.rsplit("/", 2)[0] != folder:
        return f"its pack {pack!r:.120} is none of its dataset"
    is_there = isinstance(offset, int) and 0 < offset <= _END_MAX and byte_count <= _END_MAX
    return "" if is_there else f"its offset {offset!r:.40} or its size {byte_count!r:.40} is none"


@lru_cache(maxsize=1024)  # many payloads have one
def _folder_of(pack: str) -> tuple[str, str]:
    """Why a pack is none, and the folder of its dataset."""
    why = why_outside(pack)
    if why:
        return f"its pack {pack!r:.120} leads out of Bronze: {why}", ""
    named = _NAME.fullmatch(pack)
    return ("", named["folder"]) if named else (f"its pack {pack!r:.120} is none that sbf names", "")
