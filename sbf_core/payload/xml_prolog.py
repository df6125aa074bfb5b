"""The prolog of XML, before anything else reads it: a document type declaration can define entities that grow without
end.

No format of this room has one (XML 1.0, section 2.8), so it is refused; expat itself says whether there is one, in
whatever encoding.
"""

from __future__ import annotations

from typing import IO, Any
from xml.parsers import expat

from sbf_core.errors import PayloadRefused

_STEP_BYTES = 1 << 16


class _PrologEnds(Exception):
    """The root element begins."""


def refuse_document_type(stream: IO[bytes]) -> None:
    """Raise ``PayloadRefused`` where the XML declares a document type; reads no further than the root, and goes back to
    the beginning.

    What is no XML is left to whoever parses it.
    """

    def declared(*_: Any) -> None:
        raise PayloadRefused("is XML with a document type declaration, which is refused")

    def begun(*_: Any) -> None:
        raise _PrologEnds

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = begun
    try:
        while piece := stream.read(_STEP_BYTES):
            parser.Parse(piece, False)
    except (_PrologEnds, expat.ExpatError):
        pass
    finally:
        stream.seek(0)
