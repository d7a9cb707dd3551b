"""Typeset a Typst document as a PDF with fonts of our own, so that a bare machine prints Chinese.

Only the given files are read.
"""

from collections.abc import Mapping
from typing import Any, Literal

from qa.settings import PROJECT_ROOT

FONTS = PROJECT_ROOT / "qa" / "engines" / "fonts"
STANDARD: Literal["ua-1"] = "ua-1"  # tagged, with alternative texts: PDF/UA-1


def pdf(source: str, files: Mapping[str, bytes]) -> bytes:
    """Compile a source to PDF/UA-1; it may read these files by name."""
    import typst

    # the stubs do not know that several files may be given
    sources: Any = {"main.typ": source.encode(), **files}
    fonts = [str(FONTS)]
    try:
        return typst.compile(
            sources,
            format="pdf",
            font_paths=fonts,
            ignore_system_fonts=True,
            pdf_standards=STANDARD,
        )
    except typst.TypstError:
        # a name with a sign that no font of ours has is printed as a box, not refused
        return typst.compile(sources, format="pdf", font_paths=fonts, ignore_system_fonts=True)
