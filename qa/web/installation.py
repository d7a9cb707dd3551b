"""The installation: whether all is well, every setting with where it comes from."""

from flask import Blueprint, render_template, request

from qa.doctor import examine
from qa.web.context import wiring

blueprint = Blueprint("installation", __name__)


@blueprint.get("/installation")
def overview() -> str:
    """The settings; with `examine` the doctor looks at the installation too,
    which takes a moment.
    """
    settings = wiring().settings
    found = examine(settings) if request.args.get("examine") else []
    return render_template(
        "installation.html",
        describe=settings.describe(),
        found=found,
        is_asked=bool(request.args.get("examine")),
    )
