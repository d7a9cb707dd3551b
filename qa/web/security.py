"""Sessions kept on the server, CSRF bound to them, a strict content policy on every answer."""

import secrets
from typing import Any

from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import CallbackDict

from qa.people import service
from qa.people.types import User
from qa.settings import Settings
from qa.wiring import Wiring

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)


class StoredSession(CallbackDict[str, Any], SessionMixin):
    """Flask's session with its content in the database; the cookie is only a random token."""

    def __init__(
        self,
        initial: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        user: User | None = None,
    ) -> None:
        def on_update(this: "StoredSession") -> None:
            this.modified = True

        # the callback gets this very class
        super().__init__(initial, on_update)  # type: ignore[arg-type]
        self.modified = False
        self.token = token
        self.user = user  # as the request began
        self.user_id = user.id if user else None
        self.ended_token: str | None = None

    def sign_in(self, user_id: int) -> None:
        """Give a new token to the new person; the old one ends."""
        self.ended_token, self.token = self.token, None
        self.user_id = user_id
        self.clear()
        self.modified = True

    def sign_out(self) -> None:
        """End the session with its token."""
        self.ended_token, self.token = self.token, None
        self.user_id = None
        self.clear()
        self.modified = True


class DatabaseSessions(SessionInterface):
    """Keep sessions in the database. A cookie copied before sign-out opens nothing afterwards."""

    def __init__(self, settings: Settings, wiring: Wiring) -> None:
        self._settings = settings
        self._wiring = wiring
        self.cookie = "__Host-earshot" if settings.cookie_secure else "earshot"

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        token = request.cookies.get(self.cookie)
        if not token or request.path.startswith("/static/"):
            return StoredSession()
        with self._wiring.database.read() as session:
            stored = service.web_session(session, token=token, now=self._wiring.clock())
        if stored is None:
            return StoredSession()
        user, content = stored
        return StoredSession(content, token=token, user=user)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, StoredSession)
        if not session.modified:
            return
        now = self._wiring.clock()
        with self._wiring.database.write() as database:
            if session.ended_token:
                service.end_web_session(database, token=session.ended_token)
            if not session and session.user_id is None:
                response.delete_cookie(self.cookie, path="/", secure=self._settings.cookie_secure)
                return
            is_new = session.token is None
            token = session.token or service.new_token()
            service.save_web_session(
                database,
                token=token,
                user_id=session.user_id,
                content=dict(session),
                hours=self._settings.session_hours,
                now=now,
            )
        if is_new:
            response.set_cookie(
                self.cookie,
                token,
                path="/",
                httponly=True,
                secure=self._settings.cookie_secure,
                samesite="Lax",
                max_age=self._settings.session_hours * 3600,
            )


def install(app: Flask, settings: Settings) -> None:
    """Install stored sessions, CSRF protection, the rate limiter and the security headers."""
    app.session_interface = DatabaseSessions(settings, app.extensions["wiring"])
    csrf.init_app(app)
    limiter.init_app(app)

    @app.before_request
    def _nonce() -> None:
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def _headers(response: Response) -> Response:
        nonce = g.get("nonce", "")
        policy = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'"
            f" 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; media-src 'self' blob:;"
            " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if settings.cookie_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not response.headers.get("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response

    app.jinja_env.globals["csp_nonce"] = lambda: g.get("nonce", "")
