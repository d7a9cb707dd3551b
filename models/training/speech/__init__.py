"""Makes a small Whisper from scratch on synthetic speech: `python -m models.training.speech --help`
(README.md beside this file).
"""
