"""For WSGI servers: `gunicorn wsgi:app` (never with --preload: native libraries do not survive a fork)."""

from qa.app import create_app
from qa.settings import load

app = create_app(load())
