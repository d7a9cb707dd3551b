"""Page of the installation: whether all is well, every setting with where it comes from."""

from flask import Blueprint, render_template, request

from qa.doctor import examine
from qa.web.context import wiring

blueprint = Blueprint("installation", __name__)


@blueprint.get("/installation")
def overview() -> str:
    """Show the settings; with `examine` the doctor examines the installation, which takes time."""
    settings = wiring().settings
    findings = examine(settings) if request.args.get("examine") else []
    return render_template(
        "installation.html",
        describe=settings.describe(),
        found=findings,
        is_asked=bool(request.args.get("examine")),
    )
