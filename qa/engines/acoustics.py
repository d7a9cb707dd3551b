"""Measure the line's quality: level, noise floor, bandwidth, clipping.

Properties of the line, never of a person.

The allow-list `LINE_FEATURES` is complete: a test fails when anything else is measured (EU AI Act
art. 5(1)(f)).
"""

from typing import Any

import numpy as np

from qa.engines.audio import RATE, Sound

LINE_FEATURES = ("level_db", "noise_floor_db", "bandwidth_hz", "clipping_share")
FRAME = 512


def line_quality(sound: Sound) -> list[dict[str, float]]:
    """One record per channel.

    Levels in dB relative to full scale, bandwidth as the 99 % roll-off of the louder frames.
    """
    import librosa

    records = []
    for channel in sound.samples:
        rms = librosa.feature.rms(y=channel, frame_length=2 * FRAME, hop_length=FRAME)[0]
        levels = librosa.amplitude_to_db(rms + 1e-6, ref=1.0)
        rolloff = librosa.feature.spectral_rolloff(
            y=channel, sr=RATE, roll_percent=0.99, n_fft=2 * FRAME, hop_length=FRAME
        )[0]
        loud = levels >= np.percentile(levels, 70)
        values: dict[str, Any] = {
            "level_db": float(np.percentile(levels, 95)),
            "noise_floor_db": float(np.percentile(levels, 10)),
            "bandwidth_hz": float(np.median(rolloff[: len(levels)][loud])),
            "clipping_share": float(np.mean(np.abs(channel) >= 0.999)),
        }
        records.append({name: round(values[name], 5) for name in LINE_FEATURES})
    return records
