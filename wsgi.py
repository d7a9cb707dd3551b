"""For WSGI servers: `gunicorn wsgi:app` (never with --preload: native libraries do not survive a
fork).
"""

from qa.app import create_app
from qa.logs import configure
from qa.settings import load

configure()
app = create_app(load())
