"""Guard every route: which permission opens it.

Every route stands here; one that does not is refused, and a test fails.
"""

from enum import Enum

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from qa.people.rules import may
from qa.people.types import Permission as P


class Door(Enum):
    EVERYBODY = "everybody"
    SIGNED_IN = "signed in"


ACCESS: dict[str, P | Door] = {
    "static": Door.EVERYBODY,
    "people.sign_in": Door.EVERYBODY,
    "people.demo_sign_in": Door.EVERYBODY,
    "people.choose": Door.EVERYBODY,
    "jobs.health": Door.EVERYBODY,
    "people.home": Door.SIGNED_IN,
    "people.sign_out": Door.SIGNED_IN,
    "people.token": Door.SIGNED_IN,
    "people.password": Door.SIGNED_IN,
    "people.listing": P.MANAGE_PEOPLE,
    "people.add": P.MANAGE_PEOPLE,
    "people.disable": P.MANAGE_PEOPLE,
    "people.set_projects": P.MANAGE_PEOPLE,
    "people.agent": P.MANAGE_PEOPLE,
    "people.change_agent": P.MANAGE_PEOPLE,
    "calls.listing": P.READ_CALLS,
    "calls.save_filter": P.READ_CALLS,
    "calls.forget_filter": P.READ_CALLS,
    "calls.call": Door.SIGNED_IN,  # and qa.people.rules.may_hear
    "calls.audio": Door.SIGNED_IN,  # likewise
    "calls.peaks": Door.SIGNED_IN,  # likewise
    "calls.correct_word": P.SCORE,  # and may_hear
    "intake.upload": P.IMPORT,
    "intake.upload_ratings": P.IMPORT,
    "sampling.overview": P.SAMPLE,
    "sampling.add_plan": P.SAMPLE,
    "sampling.toggle_plan": P.SAMPLE,
    "sampling.preview": P.SAMPLE,
    "sampling.draw": P.SAMPLE,
    "sampling.replay": P.SAMPLE,
    "forms.listing": P.READ_FORMS,
    "forms.version": P.READ_FORMS,
    "forms.try_out": P.WRITE_FORMS,
    "editor.draft": P.WRITE_FORMS,
    "editor.edit": P.WRITE_FORMS,
    "editor.preview": P.WRITE_FORMS,
    "editor.diff": P.WRITE_FORMS,
    "editor.retire": P.WRITE_FORMS,
    "editor.discard": P.WRITE_FORMS,
    "editor.import_yaml": P.WRITE_FORMS,
    "editor.download": P.WRITE_FORMS,
    "notices.listing": Door.SIGNED_IN,
    "notices.follow": Door.SIGNED_IN,
    "notices.read_all": Door.SIGNED_IN,
    "notices.choose": Door.SIGNED_IN,
    "assignment.queue": P.SCORE,
    "assignment.take_next": P.SCORE,
    "assignment.skip": P.SCORE,
    "assignment.give_back": P.SCORE,
    "cases.listing": P.KEEP_CASES,
    "cases.write": P.KEEP_CASES,  # and qa.cases.rules.may_write
    "cases.case": P.KEEP_CASES,  # and qa.cases.rules.may_read
    "cases.settle": P.KEEP_CASES,  # and qa.cases.rules.may_settle
    "calibration.listing": P.FILL_FORMS,
    "calibration.session": P.FILL_FORMS,  # members and whoever calls sessions
    "calibration.call": P.CALL_CALIBRATION,
    "calibration.review": P.CALL_CALIBRATION,
    "calibration.agree": P.CALL_CALIBRATION,
    "calibration.close": P.CALL_CALIBRATION,
    "assignment.overview": P.MANAGE_QUEUE,
    "assignment.reassign": P.MANAGE_QUEUE,
    "assignment.take_out": P.MANAGE_QUEUE,
    "assignment.set_goal": P.MANAGE_QUEUE,
    "assignment.deal": P.MANAGE_QUEUE,
    "assignment.put_back": P.MANAGE_QUEUE,
    "scoring.workbench": P.FILL_FORMS,  # and the place has to be theirs
    "scoring.save": P.FILL_FORMS,
    "scoring.submit": P.FILL_FORMS,
    "scoring.self_evaluate": P.READ_OWN_CARDS,
    "cards.listing": P.READ_CARDS,
    "cards.own": P.READ_OWN_CARDS,
    "cards.card": Door.SIGNED_IN,  # and qa.people.rules.may_read_card
    "cards.acknowledge": P.READ_OWN_CARDS,
    "cards.second_reading": P.SCORE,
    "cards.release": P.SCORE,  # and a QA manager or the second reader
    "cards.send_back": P.SCORE,  # and the second reader
    "cards.void": P.GOVERN_CARDS,
    "cards.re_evaluate": P.GOVERN_CARDS,
    "disputes.listing": P.DECIDE_DISPUTES,
    "disputes.dispute": Door.SIGNED_IN,  # and whoever may read the card
    "disputes.open_one": P.READ_OWN_CARDS,
    "disputes.withdraw": P.READ_OWN_CARDS,
    "disputes.decide": P.DECIDE_DISPUTES,  # and qa.disputes.rules.may_decide
    "reporting.month": P.READ_REPORTS,
    "reporting.export": P.READ_REPORTS,
    "reporting.close": P.CLOSE_MONTH,
    "reporting.team": P.READ_TEAM,
    "fairness.month": P.READ_FAIRNESS,
    "fairness.correction": P.CLOSE_MONTH,
    "targets.listing": P.READ_REPORTS,
    "targets.set_target": P.SET_TARGETS,
    "targets.end_target": P.SET_TARGETS,
    "targets.add_action": P.READ_REPORTS,  # agreeing on one: SET_TARGETS
    "targets.move_action": P.SET_TARGETS,
    "schedules.listing": P.CLOSE_MONTH,
    "schedules.add": P.CLOSE_MONTH,
    "schedules.toggle": P.CLOSE_MONTH,
    "schedules.run": P.CLOSE_MONTH,
    "schedules.result": P.CLOSE_MONTH,
    "schedules.file": P.CLOSE_MONTH,
    "training.needs": P.READ_TRAINING,
    "training.plans": P.READ_TRAINING,
    "training.new_plan": P.TRAIN,
    "training.plan": Door.SIGNED_IN,  # members, and who may read training
    "training.move": P.TRAIN,
    "training.hold_session": P.TRAIN,
    "training.finish_member": P.TRAIN,
    "training.studied": P.READ_OWN_CARDS,  # and a member
    "training.own": P.READ_OWN_CARDS,
    "jobs.overview": P.RUN_JOBS,
    "jobs.retry": P.RUN_JOBS,
    "jobs.state": P.RUN_JOBS,
    "audit.log": P.READ_ACCESS_LOG,
    "installation.overview": P.MANAGE_PEOPLE,
}


def install(app: Flask) -> None:
    @app.before_request
    def _guard() -> Response | None:
        g.user = None
        if request.endpoint == "static":
            return None
        user = getattr(session, "user", None)
        g.user = user if user and user.is_active else None
        # there is no such page; who is signed in is told so in their language
        if request.endpoint is None:
            return None
        door = ACCESS.get(request.endpoint)
        if door is Door.EVERYBODY:
            return None
        if g.user is None:
            if (
                request.method == "GET"
                and request.accept_mimetypes.accept_html
                and not request.path.endswith(("/audio", "/peaks"))
            ):
                return redirect(url_for("people.sign_in", next=request.full_path.rstrip("?")))
            abort(401)
        if door is None or (isinstance(door, P) and not may(g.user, door)):
            abort(403)
        return None
