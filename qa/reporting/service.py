"""Make the monthly report, keep what trends need of it, and close a month."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.fairness import service as fairness
from qa.months import Month
from qa.reporting import rules, store, trends
from qa.reporting.types import (
    About,
    ActionLine,
    AgentFacts,
    AgreementFacts,
    Basis,
    Change,
    Coverage,
    CriterionLine,
    Estimate,
    Group,
    MonthReport,
    Satisfaction,
    Scope,
    ScoredCall,
    Standing,
    Tally,
    TargetLine,
    Totals,
)
from qa.result_cache.service import get_or_compute
from qa.result_cache.types import CachedResult
from qa.states import Indicator, ResultKind, ScopeKind
from qa.statistics.survey_estimators import PooledModel
from qa.targets import rules as targeting
from qa.targets import store as targets
from qa.targets.types import ImprovementAction, Target

Titles = Mapping[str, dict[str, str]]
EVERYTHING = About()
MOVERS = 5  # criteria with calls to hear


class UnknownScope(ValueError):
    """A project, department, team or agent that does not exist; the message names it."""


@dataclass
class _Month:
    """What is loaded of a month once, and asked of it often."""

    month: Month
    cards: list[ScoredCall]
    agents: list[AgentFacts]  # those with calls or cards in the scope
    totals: dict[int, Totals]  # per agent
    by_project: dict[int, Totals]
    model: PooledModel | None
    severity: dict[int, float] | None
    minimum: int
    targets: list[Target]
    departments: dict[str, int]
    ratings: dict[int, tuple[int, dict[str, float]]]
    scope: Scope
    unchecked: int = 0  # cards of calls without an automatic score

    def __post_init__(self) -> None:
        self.by_agent = rules.by_agent(self.cards)
        self.facts = {a.agent_id: a for a in self.agents}
        self.raw_model = rules.model_of(self.cards) if self.severity else self.model

    def group(
        self,
        kind: str,
        name: str,
        parent: str,
        members: Sequence[AgentFacts],
        group_id: int | None = None,
        standing: Standing | None = None,
    ) -> Group:
        rows = [c for m in members for c in self.by_agent.get(m.agent_id, ())]
        total = sum((self.totals.get(m.agent_id, Totals()) for m in members), Totals())
        return self.line(
            kind, name, parent, rows, total, group_id, [m.agent_id for m in members], standing
        )

    def line(
        self,
        kind: str,
        name: str,
        parent: str,
        rows: Sequence[ScoredCall],
        total: Totals,
        group_id: int | None,
        agents: Sequence[int],
        standing: Standing | None,
    ) -> Group:
        estimator = rules.estimate_agent if kind == "agent" else rules.estimate_group
        known = self.estimates.get(group_id) if kind == "agent" and group_id is not None else None
        estimate = known or estimator(
            rows, total, self.model, minimum=self.minimum, severity=self.severity
        )
        raw = (
            estimator(rows, total, self.raw_model, minimum=self.minimum) if self.severity else None
        )
        target = self._target(kind, name, group_id)
        verdict = (
            rules.verdict(estimate.value, estimate.low, estimate.high, target)
            if target is not None
            else None
        )
        said = self.said(agents) if self.ratings and kind != "project" else None
        return Group(
            kind,
            group_id,
            name,
            parent,
            total.checked,
            estimate,
            rules.critical_rate(rows, total),
            target,
            verdict,
            standing,
            raw,
            said,
        )

    @functools.cached_property
    def estimates(self) -> dict[int, Estimate]:
        """Every agent's figure."""
        return {
            a.agent_id: rules.estimate_agent(
                self.by_agent.get(a.agent_id, ()),
                self.totals.get(a.agent_id, Totals()),
                self.model,
                minimum=self.minimum,
                severity=self.severity,
            )
            for a in self.agents
        }

    def own_cards(self) -> list[ScoredCall]:
        """The cards of the report's agents; what all share was learnt from more."""
        return [c for a in self.agents for c in self.by_agent.get(a.agent_id, ())]

    def said(self, agents: Sequence[int]) -> Satisfaction | None:
        """What customers said of these agents' calls."""
        rows = [self.ratings[a] for a in agents if a in self.ratings]
        sums = {k: sum(s[k] for _, s in rows) for k in store.SUMS}
        return rules.satisfaction(sum(n for n, _ in rows), sums) if rows else None

    def _target(self, kind: str, name: str, group_id: int | None) -> float | None:
        scopes: dict[ScopeKind, int | None] = {ScopeKind.WHOLE: None}
        if kind == "agent" and group_id is not None:
            own = self.facts.get(group_id)
            scopes |= {ScopeKind.AGENT: group_id}
            scopes |= (
                {
                    ScopeKind.TEAM: own.team_id,
                    ScopeKind.DEPARTMENT: self.departments.get(own.department),
                }
                if own
                else {}
            )
        elif kind in ("team", "project") and group_id is not None:
            scopes[ScopeKind.TEAM if kind == "team" else ScopeKind.PROJECT] = group_id
        elif kind == "whole":
            scopes |= self._narrowed()
        elif kind == "department":
            scopes[ScopeKind.DEPARTMENT] = self.departments.get(name)
        found = targeting.applying(self.targets, Indicator.QUALITY, self.month, scopes)
        return found.value if found else None

    def _narrowed(self) -> dict[ScopeKind, int | None]:
        """What a report that is not about all is about, as targets name it."""
        s = self.scope
        of = {
            ScopeKind.PROJECT: s.project_id,
            ScopeKind.DEPARTMENT: s.department_id,
            ScopeKind.TEAM: s.team_id,
            ScopeKind.AGENT: s.agent_id,
        }
        return {k: v for k, v in of.items() if v is not None}


def month_report(
    session: Session,
    *,
    month: Month,
    zone: ZoneInfo,
    minimum: int,
    titles: Titles,
    at: datetime,
    about: About = EVERYTHING,
) -> MonthReport:
    """The report of a month, for all, a project, and of these for a department, a team, or an agent
    (by code).

    `minimum` is the number of cards below which nobody gets a figure. What all agents share (slope,
    spread) comes from the whole month, so that an agent has the same figure in every report. Raises
    MonthRefused and UnknownScope.
    """
    scope = _scope(session, month, zone, about)
    m = _load(session, month=month, zone=zone, minimum=minimum, scope=scope)
    name = m.agents[0].agent if scope.agent_id is not None and m.agents else about.agent
    groups = _groups(session, m, name=name or about.team or about.department or about.project or "")
    whole = groups["whole"][0]
    before = _before(session, month=month, zone=zone, minimum=minimum, scope=scope)
    tallied = store.tallies(session, scope)
    everything = [g for rows in groups.values() for g in rows]
    seen = m.own_cards()
    return MonthReport(
        month=month,
        **vars(about) | {"agent": name},
        time_zone=zone.key,
        whole=whole,
        previous=before.estimate,
        projects=groups["projects"],
        departments=groups["departments"],
        teams=groups["teams"],
        agents=groups["agents"],
        criteria=_criteria(session, scope, titles, tallied, seen, before),
        coverage=_coverage(session, scope, m, seen, at),
        slope=m.model.slope if m.model else None,
        is_simulated=any(a.is_simulated for a in m.agents),
        made_at=at,
        notes=rules.notes(seen, m.model, unchecked=m.unchecked),
        target=whole.target,
        change=rules.change(whole.estimate, before.estimate),
        targets=_target_lines(session, m, everything, tallied, titles),
        measures=_measures(
            session,
            month=month,
            project=about.project,
            is_part=about.is_part,
            now=everything,
            at=at.astimezone(zone).date(),
        ),
        agreement=_agreement(session, month, zone, tallied),
        satisfaction=m.said([a.agent_id for a in m.agents]),
        between_agents=rules.between_agents(groups["agents"]),
        fails_cost=rules.fails_cost(seen),
        overdispersion=rules.overdispersion(
            whole.estimate.value, [t.estimate for t in groups["teams"]]
        ),
        corrected=m.severity is not None,
        model=rules.model_facts(m.model),
        **trends.over_time(session, scope, month=month, zone=zone, about=about, whole=whole),
    )


def _groups(session: Session, m: _Month, *, name: str) -> dict[str, tuple[Group, ...]]:
    """Every line of the report: the whole, projects, departments, teams, agents."""
    is_one = m.scope.agent_id is not None and len(m.agents) == 1
    whole = (
        replace(m.group("agent", name, "", m.agents, m.agents[0].agent_id), kind="whole", id=None)
        if is_one
        else m.group("whole", name, "", m.agents)
    )
    standing = rules.standings(
        m.estimates,
        {a.agent_id: m.by_agent.get(a.agent_id, []) for a in m.agents},
        m.model,
        target=whole.target,
    )
    departments = _grouped(m.agents, lambda a: (a.department,))
    teams = _grouped(m.agents, lambda a: (a.department, a.team, a.team_id))
    return {
        "whole": (whole,),
        "projects": _projects(session, m),
        "departments": tuple(
            m.group("department", name, "", rows, m.departments.get(name))
            for (name,), rows in departments
        ),
        "teams": tuple(m.group("team", n, d, rows, i) for (d, n, i), rows in teams),
        "agents": tuple(
            replace(
                m.group("agent", a.agent, a.team, [a], a.agent_id, standing.get(a.agent_id)),
                left_on=a.left_on,
            )
            for a in m.agents
        ),
    }


def figure(report: MonthReport) -> dict[str, Any]:
    """What trends and sparks need of a month."""
    lost = {c.criterion: c.points_lost for c in report.criteria}
    groups = {"teams": report.teams, "departments": report.departments, "projects": report.projects}
    named = {kind: {g.name: g.estimate.document() for g in rows} for kind, rows in groups.items()}
    people = {
        str(g.id): g.estimate.document() for g in report.agents if g.estimate.value is not None
    }
    return {
        "whole": report.whole.estimate.document(),
        "agents": people,
        "criteria": lost,
        "critical": report.whole.critical.document(),
        **named,
    }


def save_figure(session: Session, *, report: MonthReport, at: datetime) -> None:
    """Keep a month's figures for later trends; only of whole projects and of all."""
    if not About(None, report.department, report.team, report.agent).is_part:
        store.save_figure(
            session,
            month=report.month,
            project=report.project or "",
            document=figure(report),
            at=at,
        )


def cached_report(
    session: Session,
    *,
    month: Month,
    zone: ZoneInfo,
    minimum: int,
    titles: Titles,
    at: datetime,
    project: str | None = None,
    force_refresh: bool = False,
    allow_stale: bool = False,
) -> tuple[CachedResult, MonthReport | None]:
    """A month's report as a document: the one that was kept, if it may be shown, else made anew.

    One made anew comes along, and can be kept. While nothing changed, what became of the drawn
    calls is counted now. Raises MonthRefused, UnknownScope.
    """
    scope = _scope(session, month, zone, About(project))
    before = month.previous().bounds(zone)[0]
    fingerprint = store.fingerprint(session, scope, before=before, day=at.astimezone(zone).date())
    made: list[MonthReport] = []

    def count() -> dict[str, Any]:
        made.append(
            month_report(
                session,
                month=month,
                zone=zone,
                minimum=minimum,
                titles=titles,
                at=at,
                about=About(project),
            )
        )
        return made[0].document()

    key = f"{month} {project or ''}"
    found = get_or_compute(
        session,
        ResultKind.REPORT,
        key,
        count,
        fingerprint=fingerprint,
        at=at,
        allow_stale=allow_stale,
        force_refresh=force_refresh,
    )
    if not made and found.is_current:
        live = asdict(store.coverage(session, scope, now=at))
        known = {
            k: found.document["coverage"][k]
            for k in ("calls", "checked", "flagged", "heard", "confirmed")
        }
        found = replace(found, document=found.document | {"coverage": live | known})
    return found, made[0] if made else None


def close_month(session: Session, *, report: MonthReport, by: int | None, at: datetime) -> int:
    """Freeze the month as it is now; closing again makes a further revision and keeps the earlier
    ones. The revision's number.
    """
    scope = report.project or "*"
    earlier = store.closed(session, report.month, scope)
    revision = earlier[0] + 1 if earlier else 1
    store.add_closed(
        session,
        month=report.month,
        project=scope,
        revision=revision,
        document=report.document(),
        at=at,
        by=by,
    )
    save_figure(session, report=report, at=at)
    record_event(
        session,
        subject=Subject.MONTH,
        subject_id=int(report.month.replace("-", "")),
        event=EventKind.CLOSED,
        at=at,
        actor_id=by,
        revision=revision,
        scope=scope,
    )
    return revision


def _load(session: Session, *, month: Month, zone: ZoneInfo, minimum: int, scope: Scope) -> _Month:
    agents = store.agents(session, scope)
    per_agent, per_project = _totals(session, scope)
    found = store.scored_calls(session, scope.everybody)
    cards = _with_stand_ins(session, scope, found, per_agent)
    own = {a.agent_id for a in agents}
    severity = fairness.correction(session, month=month, zone=zone)
    return _Month(
        month=month,
        cards=cards,
        agents=[a for a in agents if a.agent_id in per_agent],
        totals=per_agent,
        by_project=per_project,
        model=rules.model_of(cards, severity),
        severity=severity,
        minimum=minimum,
        targets=targets.targets(session),
        departments=store.departments(session),
        ratings=store.ratings(session, scope),
        unchecked=sum(c.automatic is None and c.agent_id in own for c in found),
        scope=scope,
    )


def _totals(
    session: Session, scope: Scope, among: Collection[int] | None = None
) -> tuple[dict[int, Totals], dict[int, Totals]]:
    """Calls by agent and by project."""
    per_agent: dict[int, Totals] = {}
    per_project: dict[int, Totals] = {}
    for r in store.totals(session, scope, among=among):
        t = Totals(r.calls, r.checked, r.automatic_sum, r.flagged)
        per_agent[r.agent_id] = per_agent.get(r.agent_id, Totals()) + t
        per_project[r.project_id] = per_project.get(r.project_id, Totals()) + t
    return per_agent, per_project


def _with_stand_ins(
    session: Session, scope: Scope, cards: list[ScoredCall], totals: Mapping[int, Totals]
) -> list[ScoredCall]:
    """Everybody's cards, each with an automatic score.

    A report about a part asks for no more of the others' calls than that needs.
    """
    lacking = {c.agent_id for c in cards if c.automatic is None}
    if not lacking:
        return cards
    if not scope.is_part:
        return rules.with_stand_ins(
            cards,
            {a: t.automatic_mean for a, t in totals.items()},
            sum(totals.values(), Totals()).automatic_mean,
        )
    means = {
        a: t.automatic_mean for a, t in _totals(session, scope.everybody, among=lacking)[0].items()
    }
    checked, mean = store.automatic_means(session, scope.everybody, (scope.begin, scope.end))[0]
    return rules.with_stand_ins(cards, means, mean if checked else None)


@dataclass(frozen=True)
class _Earlier:
    """What is needed of the month before."""

    estimate: Estimate
    tallies: dict[str, Tally]
    weights: tuple[float, float]


def _before(
    session: Session, *, month: Month, zone: ZoneInfo, minimum: int, scope: Scope
) -> _Earlier:
    begin, end = month.previous().bounds(zone)
    earlier = replace(scope, begin=begin, end=end)
    found = store.scored_calls(session, earlier.everybody)
    if not found:
        return _Earlier(Estimate(Basis.NO_CARDS, 0, 0), {}, (0.0, 0.0))
    per_agent, _per_project = _totals(session, earlier)
    own_agents = {a.agent_id for a in store.agents(session, scope)} & set(per_agent)
    total = sum((per_agent[a] for a in own_agents), Totals())
    cards = _with_stand_ins(session, earlier, found, per_agent)
    severity = fairness.correction(session, month=month.previous(), zone=zone)
    own = [c for c in cards if c.agent_id in own_agents]
    estimator = rules.estimate_group if scope.agent_id is None else rules.estimate_agent
    estimate = estimator(
        own, total, rules.model_of(cards, severity), minimum=minimum, severity=severity
    )
    return _Earlier(
        estimate, {t.criterion: t for t in store.tallies(session, earlier)}, rules.weights(own)
    )


def _scope(session: Session, month: Month, zone: ZoneInfo, about: About) -> Scope:
    """What the queries are narrowed to. Raises UnknownScope."""
    begin, end = month.bounds(zone)
    named = {
        "project_id": (store.project, about.project),
        "department_id": (store.department, about.department),
        "team_id": (store.team, about.team),
    }
    ids = {field: find(session, name) for field, (find, name) in named.items() if name}
    if about.agent:
        known = store.agent(session, about.agent)
        ids["agent_id"] = known[0] if known else None
    for field, found in ids.items():
        if found is None:
            raise UnknownScope(about.agent if field == "agent_id" else named[field][1])
    scope = Scope(begin, end, **ids)
    if about.agent and not store.agents(session, scope):  # somebody of another team or department
        raise UnknownScope(about.agent)
    return scope


def _projects(session: Session, m: _Month) -> tuple[Group, ...]:
    agents = {a.agent_id for a in m.agents}
    groups = []
    for project_id, _code, name, _simulated in store.projects(session):
        if project_id in m.by_project:
            rows = [c for c in m.cards if c.project_id == project_id and c.agent_id in agents]
            groups.append(
                m.line("project", name, "", rows, m.by_project[project_id], project_id, (), None)
            )
    return tuple(groups)


def _grouped(
    rows: Sequence[AgentFacts], key: Callable[[AgentFacts], tuple[Any, ...]]
) -> list[tuple[tuple[Any, ...], list[AgentFacts]]]:
    groups: dict[tuple[Any, ...], list[AgentFacts]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.items())


def _criteria(
    session: Session,
    scope: Scope,
    titles: Titles,
    tallied: Sequence[Tally],
    cards: Sequence[ScoredCall],
    before: _Earlier,
) -> tuple[CriterionLine, ...]:
    weight, squares = rules.weights(cards)
    lines = []
    for t in tallied:
        title = titles.get(t.criterion, {"en": t.criterion})
        moved = (
            rules.moved(
                t,
                before.tallies.get(t.criterion),
                (weight, squares, *before.weights),
                of=len(tallied),
            )
            if t.criterion in before.tallies
            else None
        )
        lost, kept = rules.missed(t), rules.wilson(t.unchanged, t.automatic)
        lines.append(
            CriterionLine(
                t.criterion,
                title,
                t.answered,
                lost,
                t.not_applicable,
                kept,
                t.fails,
                rules.points_lost(t, weight),
                moved,
            )
        )
    lines.sort(key=lambda x: (-(x.points_lost or 0), -x.lost.count, x.criterion))
    worst = {x.criterion for x in lines[:MOVERS] if x.lost.count}
    fallen = {
        x.criterion
        for x in sorted(lines, key=lambda x: x.moved.value if x.moved else 0)[:MOVERS]
        if x.moved and x.moved.value < 0
    }
    heard = store.examples(session, sorted(worst | fallen), scope) if worst | fallen else {}
    return tuple(replace(x, examples=tuple(heard.get(x.criterion, ()))) for x in lines)


def _coverage(
    session: Session, scope: Scope, m: _Month, cards: Sequence[ScoredCall], at: datetime
) -> Coverage:
    total = sum((m.totals[a.agent_id] for a in m.agents), Totals())
    flagged = [c for c in cards if c.is_flagged]
    counts = {
        "calls": total.calls,
        "checked": total.checked,
        "flagged": total.flagged,
        "heard": len(flagged),
        "confirmed": sum(c.is_breach for c in flagged),
    }
    return replace(store.coverage(session, scope, now=at), **counts)


def _agreement(
    session: Session, month: Month, zone: ZoneInfo, tallied: Sequence[Tally]
) -> AgreementFacts:
    found, same = fairness.month_agreement(session, month=month, zone=zone)
    kept = rules.wilson(sum(t.unchanged for t in tallied), sum(t.automatic for t in tallied))
    return AgreementFacts(found.calls, found.alpha, found.low, found.high, same, kept)


def _target_lines(
    session: Session, m: _Month, groups: Sequence[Group], tallied: Sequence[Tally], titles: Titles
) -> tuple[TargetLine, ...]:
    """Every target of the month with where things stand."""
    scope = m.scope
    of_part = functools.cache(
        lambda kind, scope_id: store.tallies(session, replace(scope, **{f"{kind}_id": scope_id}))
    )
    at = {(g.kind, g.id if g.kind != "whole" else None): g for g in groups}
    lines = []
    for t in m.targets:
        g = at.get((t.scope.value, t.scope_id))
        is_of_more = t.scope is ScopeKind.WHOLE and (scope.is_part or scope.project_id is not None)
        if not t.holds_in(m.month) or g is None or is_of_more:
            continue
        counted = (
            tallied
            if g.kind == "whole" or t.indicator is not Indicator.CRITERION
            else of_part(g.kind, g.id)
        )
        value, low, high = _standing(t, g, counted)
        verdict = rules.verdict(value, low, high, t.value, at_most=t.is_at_most)
        lines.append(
            TargetLine(
                t.id,
                t.indicator.value,
                t.criterion,
                titles.get(t.criterion, {}),
                t.scope.value,
                g.name,
                t.value,
                value,
                low,
                high,
                verdict,
            )
        )
    return tuple(lines)


def _standing(
    t: Target, g: Group, tallied: Sequence[Tally]
) -> tuple[float | None, float | None, float | None]:
    if t.indicator is Indicator.QUALITY:
        return g.estimate.value, g.estimate.low, g.estimate.high
    if t.indicator is Indicator.CRITICAL:
        return g.critical.share, g.critical.low, g.critical.high
    if t.indicator is Indicator.SATISFACTION:
        return (
            (g.satisfaction.mean, g.satisfaction.low, g.satisfaction.high)
            if g.satisfaction
            else (None, None, None)
        )
    found = next((x for x in tallied if x.criterion == t.criterion), None)
    lost = rules.missed(found) if found else None
    if lost is None or lost.share is None or lost.low is None or lost.high is None:
        return None, None, None
    return 1 - lost.share, 1 - lost.high, 1 - lost.low


def _measures(
    session: Session,
    *,
    month: Month,
    project: str | None,
    is_part: bool,
    now: Sequence[Group],
    at: date,
) -> tuple[ActionLine, ...]:
    """Measures agreed up to this month, and what has moved since they were."""
    found = targets.actions(session, until_month=month)
    months = sorted({x.month for x in found})
    kept = store.figures(session, months=months, project=project or "")
    lines = []
    for x in found:
        since = (
            None
            if is_part and x.scope is ScopeKind.WHOLE
            else _since(x, kept.get(x.month), now, month)
        )
        due, is_late = (
            x.due_on.isoformat() if x.due_on else None,
            bool(x.is_open and x.due_on and x.due_on < at),
        )
        head = (
            x.id,
            x.title,
            x.detail,
            x.month,
            x.criterion,
            x.scope.value,
            x.name,
            x.state.value,
            x.owner,
        )
        lines.append(ActionLine(*head, due, is_late, x.expected, since, x.result))
    return tuple(lines)


def _since(
    x: ImprovementAction,
    kept: tuple[dict[str, Any], datetime] | None,
    now: Sequence[Group],
    month: Month,
) -> Change | None:
    """By how much the measure's scope has moved since the month it was agreed in.

    Not an effect: nothing here knows what would have been without it.
    """
    if kept is None or x.month == month or x.criterion:
        return None
    document = kept[0]
    name = {"team": "teams", "department": "departments", "project": "projects"}.get(x.scope.value)
    then = (
        document["whole"]
        if x.scope is ScopeKind.WHOLE
        else document["agents"].get(str(x.scope_id))
        if x.scope is ScopeKind.AGENT
        else document[name or "teams"].get(x.name)
    )
    group = next(
        (g for g in now if g.kind == x.scope.value and (g.kind == "whole" or g.id == x.scope_id)),
        None,
    )
    return rules.change(group.estimate, trends.estimate_of(then)) if group and then else None
