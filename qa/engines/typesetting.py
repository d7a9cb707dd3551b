"""Paper: a Typst document becomes a PDF with fonts of our own, so that a bare machine prints
Chinese too. Only the given files are read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

FONTS = Path(__file__).parent / "fonts"
STANDARD: Literal["ua-1"] = "ua-1"  # tagged, with alternative texts: PDF/UA-1


def pdf(source: str, files: Mapping[str, bytes]) -> bytes:
    """The document as PDF/UA-1. `files` are what the source may read, by name."""
    import typst

    # the stubs do not know that several files may be given
    given: Any = {
        "main.typ": source.encode(),
        **files,
    }
    fonts = [str(FONTS)]
    try:
        return typst.compile(
            given, format="pdf", font_paths=fonts, ignore_system_fonts=True, pdf_standards=STANDARD
        )
    except typst.TypstError:
        # a name with a sign that no font of ours has is printed as a box, not refused
        return typst.compile(given, format="pdf", font_paths=fonts, ignore_system_fonts=True)
