"""Decide what each role may do, and who may read which call and scorecard. Pure."""

from qa.people.types import Permission, User, UserFault
from qa.states import Role

P = Permission
ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset({P.READ_OWN_CARDS, P.FILL_FORMS, P.KEEP_CASES}),
    Role.TEAM_LEADER: frozenset(
        {
            P.FILL_FORMS,
            P.KEEP_CASES,
            P.READ_CALLS,
            P.READ_CARDS,
            P.READ_REPORTS,
            P.READ_TRAINING,
            P.READ_TEAM,
            P.READ_FORMS,
        }
    ),
    Role.EVALUATOR: frozenset(
        {
            P.SCORE,
            P.FILL_FORMS,
            P.KEEP_CASES,
            P.READ_CALLS,
            P.READ_CARDS,
            P.READ_FORMS,
            P.DECIDE_DISPUTES,
        }
    ),
    Role.TRAINER: frozenset(
        {
            P.FILL_FORMS,
            P.KEEP_CASES,
            P.READ_CALLS,
            P.READ_CARDS,
            P.READ_REPORTS,
            P.READ_TRAINING,
            P.TRAIN,
            P.READ_FORMS,
        }
    ),
    Role.QA_MANAGER: frozenset(
        {
            P.SCORE,
            P.FILL_FORMS,
            P.KEEP_CASES,
            P.MANAGE_QUEUE,
            P.CALL_CALIBRATION,
            P.READ_CALLS,
            P.READ_CARDS,
            P.IMPORT,
            P.SAMPLE,
            P.READ_FORMS,
            P.WRITE_FORMS,
            P.READ_REPORTS,
            P.CLOSE_MONTH,
            P.READ_TRAINING,
        }
        | {
            P.READ_TEAM,
            P.RUN_JOBS,
            P.READ_ACCESS_LOG,
            P.GOVERN_CARDS,
            P.DECIDE_DISPUTES,
            P.TRAIN,
            P.READ_FAIRNESS,
            P.SET_TARGETS,
        }
    ),
    Role.DIRECTOR: frozenset(
        {
            P.FILL_FORMS,
            P.KEEP_CASES,
            P.READ_CALLS,
            P.READ_CARDS,
            P.READ_REPORTS,
            P.READ_TEAM,
            P.READ_FORMS,
            P.READ_TRAINING,
            P.DECIDE_DISPUTES,
        }
        | {P.READ_FAIRNESS, P.SET_TARGETS}
    ),
    Role.ADMINISTRATOR: frozenset(
        {P.IMPORT, P.MANAGE_PEOPLE, P.RUN_JOBS, P.READ_ACCESS_LOG, P.READ_FORMS}
    ),
}
WHOLE_CENTRE = frozenset(
    {
        P.IMPORT,
        P.SAMPLE,
        P.RUN_JOBS,
        P.READ_ACCESS_LOG,
        P.MANAGE_PEOPLE,
        P.CLOSE_MONTH,
        P.WRITE_FORMS,
    }
)
MIN_PASSWORD = 10
MAX_PASSWORD = 200


def may(user: User, permission: Permission) -> bool:
    """Decide whether a user may do this at all.

    Who is held to some projects does nothing that concerns the whole centre.
    """
    return (
        user.is_active
        and permission in ALLOWED[user.role]
        and (user.sees_all_projects or permission not in WHOLE_CENTRE)
    )


def may_hear(
    user: User, *, agent_id: int, team_id: int, has_released_card: bool, holds_assignment: bool
) -> bool:
    """Decide whether a user may open and play a call.

    They may where they fill a form for it; an agent their own once a card is released, a leader
    their team's, others by role.
    """
    if holds_assignment and may(user, Permission.FILL_FORMS):
        return True
    if user.role is Role.AGENT:
        return user.agent_id == agent_id and has_released_card
    if user.role is Role.TEAM_LEADER:
        return user.team_id == team_id
    if user.role is Role.TRAINER:
        return has_released_card
    return may(user, Permission.READ_CALLS)


def may_read_card(
    user: User, *, agent_id: int, team_id: int, evaluator_id: int, is_released: bool
) -> bool:
    """Decide whether a user may read a scorecard.

    Before its release only its evaluator and the QA manager may.
    """
    if user.role is Role.QA_MANAGER or (user.role is Role.EVALUATOR and user.id == evaluator_id):
        return True
    if not is_released:
        return False
    if user.role is Role.AGENT:
        return user.agent_id == agent_id
    if user.role is Role.TEAM_LEADER:
        return user.team_id == team_id
    return user.role in (Role.TRAINER, Role.DIRECTOR)


def password_fault(password: str, username: str) -> UserFault | None:
    """Return what is wrong with a new password, or None."""
    if len(password) < MIN_PASSWORD:
        return UserFault.TOO_SHORT
    if len(password) > MAX_PASSWORD:
        return UserFault.TOO_LONG
    return UserFault.LIKE_THE_NAME if username.lower() in password.lower() else None
