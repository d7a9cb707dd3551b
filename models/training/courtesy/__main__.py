"""Rebuild the courtesy classifier: `python -m models.training.courtesy --out models/courtesy`
(about a minute).
"""

import argparse
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from models.training.courtesy.examples import FOLDER, LANGUAGES, word_classes
from models.training.courtesy.fit import train


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training.courtesy", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    arrays: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    for language in LANGUAGES:
        stored, figures[language] = train(language, options.seed)
        arrays |= stored
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "weights.npz").write_bytes(archive(arrays))
    texts = hashlib.sha256(
        b"".join((FOLDER / f"{x}.txt").read_bytes() for x in LANGUAGES)
    ).hexdigest()
    document = {
        "version": texts[:12],
        "scikit_learn": sklearn.__version__,
        "seed": options.seed,
        "word_classes": {x: word_classes(x) for x in LANGUAGES},
        "languages": figures,
    }
    (options.out / "figures.json").write_text(json.dumps(document, indent=1) + "\n")
    for language, found in figures.items():
        print(
            language,
            found["all"],
            "sarcasm",
            found["sarcasm_called_sure"],
            "quoted",
            found["quoted_called_sure"],
        )


def archive(arrays: dict[str, Any]) -> bytes:
    """An .npz whose bytes depend on the arrays alone: numpy's own carries the time of day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(arrays):
            body = io.BytesIO()
            np.lib.format.write_array(body, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            packed.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)),
                body.getvalue(),
                zipfile.ZIP_DEFLATED,
                9,
            )
    return out.getvalue()


if __name__ == "__main__":
    main()
