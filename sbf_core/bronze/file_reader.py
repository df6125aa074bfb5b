"""Payloads back from disk, checked against what was recorded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sbf_core.errors import DamageFound, environment_fault
from sbf_core.ops.rows import BronzeManifestRow


def read_payload(bronze: Path, row: BronzeManifestRow) -> bytes:
    """The exact bytes of a payload.

    Raises:
        DamageFound: the file is missing or not what was recorded.
        EnvironmentFault: the system does not let it be read.
    """
    path = bronze / row.rel_path
    try:
        payload = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise DamageFound(f"a payload cannot be read: {error.strerror}", where=str(path), fix="run `sbf verify`") from error
    except OSError as error:
        raise environment_fault(error, doing="a payload cannot be read", where=str(path)) from error
    if hashlib.sha256(payload).hexdigest() != row.payload_hash:
        raise DamageFound("a payload is not what was recorded", where=str(path), fix="run `sbf verify`")
    return payload
