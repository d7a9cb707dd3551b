"""Fetch the front-end libraries from npm at fixed versions: `python -m qa.web.vendor`.

A test compares the files with the hashes kept here.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "static" / "vendor"
FILES = {
    "@tabler/core@1.6.1": {"dist/css/tabler.min.css": "tabler.min.css"},
    "wavesurfer.js@8.0.1": {
        "dist/wavesurfer.esm.js": "wavesurfer.esm.js",
        "dist/plugins/regions.esm.js": "wavesurfer.regions.esm.js",
        "dist/plugins/timeline.esm.js": "wavesurfer.timeline.esm.js",
        "LICENSE": "wavesurfer.LICENSE",
    },
}
ICONS = {
    "headphones": "headphones",
    "clipboard": "clipboard-check",
    "users": "users",
    "phone": "phone",
    "upload": "upload",
    "dice": "dice-5",
    "chart": "chart-bar",
    "school": "school",
    "list": "list-check",
    "gears": "settings",
    "eye": "eye",
    "id": "id-badge-2",
    "sun": "sun",
    "moon": "moon",
    "out": "logout",
    "play": "player-play",
    "pause": "player-pause",
    "menu": "menu-2",
    "ear": "ear",
    "check": "check",
    "alert": "alert-triangle",
    "flag": "flag",
    "loop": "repeat",
    "search": "search",
    "pin": "map-pin",
    "left": "chevron-left",
    "right": "chevron-right",
    "download": "download",
    "lock": "lock",
    "bell": "bell",
    "speech": "message-report",
    "scale": "scale",
    "folder": "folder",
    "gauge": "gauge",
    "again": "eye-check",
    "target": "target-arrow",
    "balance": "adjustments-horizontal",
    "calendar": "calendar-event",
    "clock": "calendar-clock",
}
FONT_PACKAGE = "@fontsource-variable/noto-sans-sc@5.3.1"
FONTS = Path(__file__).parent.parent / "engines" / "fonts"
SOURCE_MAP = re.compile(rb"(/\*|//)# sourceMappingURL=[^\n*]*(\*/)?")
DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "VORG", "HVAR", "MVAR", "avar")
ICON_PACKAGE = "@tabler/icons@3.51.0"


def main() -> None:
    HERE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for package, files in FILES.items():
            with _packed(package, folder) as archive:
                for source, target in files.items():
                    (HERE / target).write_bytes(SOURCE_MAP.sub(b"", _read(archive, source)))
        with _packed(ICON_PACKAGE, folder) as archive:
            symbols = [
                _symbol(name, _read(archive, f"icons/outline/{source}.svg").decode())
                for name, source in ICONS.items()
            ]
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (HERE.parent / "icons.svg").write_text(sprite)
    with tempfile.TemporaryDirectory() as folder, _packed(FONT_PACKAGE, folder) as archive:
        archive.extractall(folder, filter="data")
        _join_font(Path(folder) / "package")
    hashes = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted([*HERE.iterdir(), *FONTS.iterdir()])
        if p.name != "hashes.json"
    }
    (HERE / "hashes.json").write_text(json.dumps(hashes, indent=1) + "\n")


def _join_font(package: Path) -> None:
    """Join the slices that browsers load to one regular weight.

    Needs fonttools and brotli, which only this script does.
    """
    from fontTools import subset
    from fontTools.merge import Merger
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    merged: set[int] = set()
    parts = []
    for path in sorted(package.glob("files/*-wght-normal.woff2")):
        font = TTFont(path, recalcTimestamp=False)
        instantiateVariableFont(font, {"wght": 400.0}, inplace=True)
        new = set(font.getBestCmap()) - merged
        merged |= new
        options = subset.Options(
            layout_features=[],
            hinting=False,
            notdef_outline=True,
            drop_tables=[*subset.Options().drop_tables, *DROPPED],
        )
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=new)
        cutter.subset(font)
        font.flavor = None
        parts.append(str(path.with_suffix(".ttf")))
        font.save(parts[-1])
    FONTS.mkdir(exist_ok=True)
    joined = Merger().merge(parts)
    joined.recalcTimestamp = False
    joined.save(FONTS / "NotoSansSC-Regular.ttf")
    (FONTS / "NotoSansSC.LICENSE").write_bytes((package / "LICENSE").read_bytes())


def _packed(package: str, folder: str) -> tarfile.TarFile:
    name = (
        subprocess.run(
            ["npm", "pack", "--silent", package],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        .stdout.strip()
        .splitlines()[-1]
    )
    return tarfile.open(Path(folder) / name)


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    return member.read()


def _symbol(name: str, svg: str) -> str:
    paths = "".join(
        line.strip()
        for line in svg.splitlines()
        if line.strip().startswith(("<path", "<circle", "<rect")) and 'stroke="none"' not in line
    )
    head = (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">'
    )
    return f"{head}{paths}</symbol>"


if __name__ == "__main__":
    main()
