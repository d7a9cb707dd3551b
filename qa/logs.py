"""Log lines go to stderr, so that stdout holds only what was asked for: readable on a terminal,
JSON for machines. Never a word of a transcript.
"""

import logging
import sys

import structlog


def configure() -> None:
    is_watched = sys.stderr.isatty()
    last = structlog.dev.ConsoleRenderer() if is_watched else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
