"""A centre in the middle of its work: submitted cards, a dispute, a card waiting for release, a
calibration session, cases, notices.

Real services on the sample calls, so that every page of the inventory has something to show.
"""

from datetime import date, timedelta

from qa.assignment import service as assignment
from qa.assignment import store as queue
from qa.assignment.types import Claimed
from qa.calibration import service as calibration
from qa.calibration import store as sessions
from qa.cases import service as cases
from qa.cases.types import Draft
from qa.checking import store as findings
from qa.disputes import service as disputes
from qa.forms import service as forms
from qa.forms import store as form_store
from qa.forms.editing import apply_operation
from qa.months import Month
from qa.people import service as people
from qa.people import store as people_store
from qa.publishing import service as schedules
from qa.publishing import store as runs
from qa.publishing.delivery import publish
from qa.publishing.types import ScheduleDraft
from qa.reporting import store as figures
from qa.reporting.types.scope import Scope
from qa.scoring import service as scoring
from qa.scoring.types import Answer, Filled
from qa.states import (
    AssignmentKind,
    AssignmentState,
    Audience,
    CaseKind,
    Indicator,
    Role,
    ScopeKind,
)
from qa.targets import service as targets
from qa.targets.types import ImprovementActionDraft, TargetDraft
from qa.training import service as training
from qa.training.types import PlanDraft

COMMENT = "Heard at the beginning; see the note."


def fill(wiring) -> None:
    """Everything, in the order in which it would happen.

    Sarah's only call is left for the journeys.
    """
    with wiring.database.write() as session:
        second = people.add_user(
            session,
            username="emil",
            display_name="Emil Evaluator",
            role=Role.EVALUATOR,
            password=None,
            at=wiring.clock(),
        )
        by_name = {u.username: u for u in people_store.users(session)}
    own = _score(wiring, second, agent_code="tom.baker", lose=0)
    _score(wiring, second, agent_code="wang.meiling", lose=2)
    agent, manager = by_name["tom"], by_name["manager"]
    _dispute(wiring, own, agent, second)
    with wiring.database.write() as session:
        newest = next(i for i, f in forms.current(session) if f.form == "customer_service")
        draft = forms.draft_of(session, form_version_id=newest, by=manager.id, at=wiring.clock())
        longer = apply_operation(
            form_store.source(session, draft),
            act="add",
            where="opening",
            value="Says the company's name twice",
        )
        forms.save_draft(
            session,
            form_version_id=draft,
            source=longer,
            edition=1,
            by=manager.id,
            at=wiring.clock(),
        )
    _write_cases(wiring, agent, by_name["evaluator"])
    _improve(wiring, by_name)
    _calibrate(wiring, manager, [by_name["evaluator"], second, by_name["leader"]])


def _score(wiring, evaluator, *, agent_code, lose):
    """Take a call (of an agent, where one is named) and submit its card with some criteria lost."""
    with wiring.database.write() as session:
        agent = people_store.agent_by_code(session, agent_code)[0] if agent_code else None
        for place, _name in queue.unfinished(
            session, evaluator_id=None, overdue_at=None, after_id=None, limit=100
        ):
            free = place.state is AssignmentState.WAITING and place.kind is AssignmentKind.STANDARD
            if free and agent in (None, place.agent_id):
                queue.reserve(session, place.id, user_id=evaluator.id)
                break
        taken = assignment.claim_next(
            session,
            evaluator_id=evaluator.id,
            own_agent_id=None,
            lease_minutes=45,
            at=wiring.clock(),
        )
        assert isinstance(taken, Claimed)
        card = scoring.open_card(
            session, assignment_id=taken.assignment_id, evaluator_id=evaluator.id, at=wiring.clock()
        )
        form = forms.load(session, card.form_version_id)
        result = findings.result(session, card.call_id, card.form_version_id)
        found = {f.criterion: f for f in result.findings}
        done = scoring.submit(
            session,
            card_id=card.id,
            evaluator_id=evaluator.id,
            version=1,
            filled=_answers(form, lose),
            form=form,
            findings=found,
            at=wiring.clock(),
        )
    return done


def _answers(form, lose):
    """The best option of every criterion, but for some that cost points."""
    answers, losable = {}, [c for c in form.criteria() if not c.when]
    for c in form.criteria():
        options = sorted(c.choices, key=lambda o: o.points)
        worst = c in losable[3 : 4 + lose] and not options[0].fail
        answers[c.id] = Answer(option=options[0].id if worst else options[-1].id, comment=COMMENT)
    return Filled(
        answers=answers,
        summary="A friendly call; the next steps could have been clearer.",
        notes=[{"at": 4.2, "text": "a warm opening"}],
    )


def _dispute(wiring, card, agent, evaluator):
    with wiring.database.write() as session:
        form = forms.load(session, card.form_version_id)
        lost = [
            c.id
            for c in form.criteria()
            if (o := c.option(card.filled.answers[c.id].option)) and o.points < c.maximum
        ]
        for n, criterion in enumerate(lost[:2]):
            made = disputes.open_dispute(
                session,
                card=card,
                form=form,
                criterion=criterion,
                reason="I did say it, a little later.",
                suggested="",
                by=agent,
                decide_days=5,
                at=wiring.clock(),
            )
            if n == 0:
                disputes.decide(
                    session,
                    dispute_id=made.id,
                    option=None,
                    reason="Only after the customer had asked.",
                    is_rule_at_fault=False,
                    by=evaluator,
                    form=form,
                    findings={},
                    at=wiring.clock(),
                )
        disputes.open_dispute(
            session,
            card=card,
            form=form,
            criterion=lost[0],
            reason="The guidance does not say who has to begin.",
            suggested="",
            by=agent,
            decide_days=5,
            at=wiring.clock(),
        )


def _write_cases(wiring, agent, evaluator):
    with wiring.database.write() as session:
        slip = Draft(
            CaseKind.DIFFICULT,
            "The customer waits for an engineer since Monday.",
            agent_id=agent.agent_id,
            contact="Ms Rossi",
            due_at=wiring.clock() + timedelta(hours=6),
        )
        cases.write(session, slip, by=agent, at=wiring.clock())
        for kind, words in (
            (CaseKind.GUIDE, "Try to name the next step before the goodbye."),
            (CaseKind.COMPLAINT, "The customer felt cut off."),
        ):
            cases.write(
                session,
                Draft(kind, words, agent_id=agent.agent_id),
                by=evaluator,
                at=wiring.clock(),
            )


def _improve(wiring, people_):
    """Targets, a measure, a training plan for Tom with one call to study, a scheduled report."""
    manager, trainer, tom = people_["manager"], people_["trainer"], people_["tom"]
    with wiring.database.write() as session:
        targets.set_target(
            session,
            TargetDraft(Indicator.QUALITY, ScopeKind.WHOLE, None, 85.0, "2026-10"),
            by=manager.id,
            at=wiring.clock(),
        )
        done = ImprovementActionDraft(
            "Sharpen the guide for next steps",
            "2026-10",
            ScopeKind.WHOLE,
            None,
            "Two examples per product.",
            owner_id=trainer.id,
            due_on=date(2026, 11, 30),
            expected=2.0,
        )
        targets.add_action(session, done, is_agreed=True, by=manager.id, at=wiring.clock())
        targets.add_action(
            session,
            ImprovementActionDraft("Listen to ten holds", Month("2026-11"), ScopeKind.WHOLE, None),
            is_agreed=False,
            by=trainer.id,
            at=wiring.clock(),
        )
        others = [
            a.agent_id
            for a in figures.agents(session, Scope(wiring.clock(), wiring.clock()))
            if a.agent_id != tom.agent_id
        ][:3]
        draft = PlanDraft(
            title="Saying what happens next",
            topic="resolution",
            month=Month("2026-11"),
            starts_on=date(2026, 12, 1),
            agent_ids=(tom.agent_id, *others),
            goal="Every call ends with who does what by when.",
            call_ids=(4,),
        )
        plan = training.make_plan(session, draft, by=trainer.id, at=wiring.clock())
        training.hold_session(
            session,
            plan_id=plan.id,
            held_on=date(2026, 12, 1),
            minutes=45,
            notes="Three calls heard together.",
            present=[tom.agent_id],
            by=trainer.id,
            at=wiring.clock(),
        )
        report = ScheduleDraft(
            "For the board", 3, Audience.BOARD, "pdf,xlsx", "en", recipients="board@example.org"
        )
        schedule = schedules.add_schedule(session, report, by=manager.id, at=wiring.clock())
        runs.queue_run(session, schedule, "2026-11", at=wiring.clock())
    publish(wiring)


def _calibrate(wiring, manager, members):
    """One session under discussion, with differing answers, and one that is being scored."""
    with wiring.database.write() as session:
        version, form = next(
            (i, f) for i, f in forms.current(session) if f.form == "customer_service"
        )
        for title in ("Greeting and next steps", "Courtesy on hold"):
            due = wiring.clock() + timedelta(days=5)
            ids = [m.id for m in members]
            made = calibration.call(
                session,
                title=title,
                form_version_id=version,
                call_ids=[3, 4],
                user_ids=ids,
                due_at=due,
                by=manager.id,
                at=wiring.clock(),
            )
            if title.startswith("Greeting"):
                first = made
    for n, member in enumerate(members):
        with wiring.database.write() as session:
            for own in sessions.own_assignments(session, first, member.id).values():
                queue.claim(
                    session,
                    own.id,
                    evaluator_id=member.id,
                    now=wiring.clock(),
                    lease_until=wiring.clock() + timedelta(hours=1),
                )
                card = scoring.open_card(
                    session, assignment_id=own.id, evaluator_id=member.id, at=wiring.clock()
                )
                scoring.submit(
                    session,
                    card_id=card.id,
                    evaluator_id=member.id,
                    version=1,
                    filled=_answers(form, n),
                    form=form,
                    findings={},
                    at=wiring.clock(),
                )
    with wiring.database.write() as session:
        calibration.open_review(session, session_id=first, by=manager.id, at=wiring.clock())
