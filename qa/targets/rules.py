"""Check targets, and find the one that applies. Pure."""

import re
from collections.abc import Iterable

from qa.months import Month
from qa.states import ImprovementActionState, Indicator, ScopeKind
from qa.targets.types import Target, TargetDraft, TargetFault

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
NARROW = (ScopeKind.AGENT, ScopeKind.TEAM, ScopeKind.DEPARTMENT, ScopeKind.PROJECT, ScopeKind.WHOLE)
NEXT = {
    ImprovementActionState.PROPOSED: (
        ImprovementActionState.AGREED,
        ImprovementActionState.DROPPED,
    ),
    ImprovementActionState.AGREED: (ImprovementActionState.DONE, ImprovementActionState.DROPPED),
    ImprovementActionState.DONE: (),
    ImprovementActionState.DROPPED: (),
}


def target_fault(draft: TargetDraft) -> TargetFault | None:
    """Return what is wrong with a target, or None."""
    most = 100.0 if draft.indicator in (Indicator.QUALITY, Indicator.SATISFACTION) else 1.0
    if not 0 <= draft.value <= most:
        return TargetFault.VALUE
    if not MONTH.fullmatch(draft.first_month) or (
        draft.last_month and not MONTH.fullmatch(draft.last_month)
    ):
        return TargetFault.MONTH
    if draft.last_month and draft.last_month < draft.first_month:
        return TargetFault.ORDER
    if (draft.scope is ScopeKind.WHOLE) != (draft.scope_id is None):
        return TargetFault.SCOPE
    if (draft.indicator is Indicator.CRITERION) != bool(draft.criterion):
        return TargetFault.CRITERION
    return None


def applying(
    targets: Iterable[Target],
    indicator: Indicator,
    month: Month,
    scopes: dict[ScopeKind, int | None],
) -> Target | None:
    """Find the target that applies: the most specific one, and of these the newest."""
    fitting = [t for t in targets if t.indicator is indicator and t.holds_in(month)]
    for scope in NARROW:
        if scope in scopes:
            own = [t for t in fitting if t.scope is scope and t.scope_id == scopes[scope]]
            if own:
                return max(own, key=lambda t: t.id)
    return None
