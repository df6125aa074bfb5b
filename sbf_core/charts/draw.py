"""Draws a specification: Vega-Lite to SVG or PNG, by vl-convert, in this process."""

from __future__ import annotations

import json
from typing import Any

from sbf_core.errors import DatasetFailure, UsageError

_VERSION = "6.4"
_PNG_SCALE = 2.0


def draw(spec: dict[str, Any], kind: str) -> bytes:
    """The picture.

    Args:
        spec: a Vega-Lite specification with its data; nothing that it names is fetched.
        kind: ``svg``, ``png``, or ``scene`` for what Vega would put on the screen, as JSON.

    Raises:
        UsageError: the extra ``ui`` is not installed.
        DatasetFailure: the specification cannot be drawn.
    """
    try:
        import vl_convert  # 0.4 s with the engine below it: only who draws pays
    except ImportError as error:
        raise UsageError("charts cannot be drawn here", fix="pip install 'sbf[ui]'", code="NO_UI") from error
    nowhere: list[str] = []
    try:
        if kind == "svg":
            return vl_convert.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=nowhere).encode()
        if kind == "png":
            return vl_convert.vegalite_to_png(spec, vl_version=_VERSION, scale=_PNG_SCALE, allowed_base_urls=nowhere)
        return json.dumps(
            vl_convert.vegalite_to_scenegraph(spec, vl_version=_VERSION, allowed_base_urls=nowhere)
        ).encode()
    except ValueError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise DatasetFailure(
            f"the chart cannot be drawn: {lines[1] if len(lines) > 1 else lines[0]}",
            fix="correct its specification",
            code="CHART",
        ) from error
