"""Rows as a file that a browser keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from itertools import chain

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class CsvDownload(StreamingResponse):
    """CSV that is sent part by part.

    The first part is made at once: what fails there is told on a page, and not in the middle of a file. What the parts
    are read from is left as soon as the answer ends, also when its client went away.

    Args:
        parts: the text.
        name: of the file, without its ending.
    """

    def __init__(self, parts: Generator[str, None, None], *, name: str) -> None:
        self._parts = parts
        headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
        super().__init__(chain([next(parts, "")], parts), media_type="text/csv; charset=utf-8", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # it may wait for a reader, and the loop must not
            asyncio.get_running_loop().run_in_executor(None, self._parts.close)
