"""Make the monthly report, keep what trends need of it, and close a month."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.fairness import service as fairness
from qa.months import Month
from qa.reporting import store, trends
from qa.reporting.month import (
    LoadedMonth,
    PreviousMonth,
    load_month,
    load_previous_month,
    resolve_scope,
)
from qa.reporting.rules import estimates as rules
from qa.reporting.rules.criteria import loss_rate, points_lost, score_change, weight_sums
from qa.reporting.rules.satisfaction import correlate_quality_and_ratings
from qa.reporting.rules.standings import standings
from qa.reporting.rules.trends import overdispersion
from qa.reporting.target_progress import Titles, action_lines, target_lines
from qa.reporting.types.estimate import ScoredCall, Tally, Totals
from qa.reporting.types.lines import AgreementFacts, Coverage, CriterionLine, Group
from qa.reporting.types.report import MonthReport
from qa.reporting.types.scope import About, AgentFacts, Scope
from qa.result_cache.service import get_or_compute
from qa.result_cache.types import CachedResult
from qa.states import ResultKind

EVERYTHING = About()
MAX_MOVERS = 5  # criteria with calls to hear
Key = TypeVar("Key")


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
    """Make the report of a month, for all, a project, and of these for a department, a team, or an
    agent (by code).

    `minimum` is the number of cards below which nobody gets a figure. What all agents share (slope,
    spread) comes from the whole month, so that an agent has the same figure in every report. Raises
    MonthRefused and UnknownScope.
    """
    scope = resolve_scope(session, month, zone, about)
    loaded = load_month(session, month=month, zone=zone, minimum=minimum, scope=scope)
    is_agent_known = scope.agent_id is not None and bool(loaded.agents)
    agent = loaded.agents[0].agent if is_agent_known else about.agent
    name = agent or about.team or about.department or about.project or ""
    groups = _groups(session, loaded, name=name)
    whole = groups["whole"][0]
    previous = load_previous_month(session, month=month, zone=zone, minimum=minimum, scope=scope)
    tallies = store.tallies(session, scope)
    everything = [group for lines in groups.values() for group in lines]
    cards = loaded.own_cards()
    return MonthReport(
        month=month,
        **vars(about) | {"agent": agent},
        time_zone=zone.key,
        whole=whole,
        previous=previous.estimate,
        projects=groups["projects"],
        departments=groups["departments"],
        teams=groups["teams"],
        agents=groups["agents"],
        criteria=_criteria(session, scope, titles, tallies, cards, previous),
        coverage=_coverage(session, scope, loaded, cards, at),
        slope=loaded.model.slope if loaded.model else None,
        is_simulated=any(a.is_simulated for a in loaded.agents),
        made_at=at,
        notes=rules.report_notes(cards, loaded.model, unchecked=loaded.unchecked),
        target=whole.target,
        change=rules.change(whole.estimate, previous.estimate),
        targets=target_lines(session, loaded, everything, tallies, titles),
        actions=action_lines(
            session,
            month=month,
            project=about.project,
            is_part=about.is_part,
            groups=everything,
            today=at.astimezone(zone).date(),
        ),
        agreement=_agreement(session, month, zone, tallies),
        satisfaction=loaded.satisfaction([a.agent_id for a in loaded.agents]),
        between_agents=correlate_quality_and_ratings(groups["agents"]),
        fails_cost=rules.fails_cost(cards),
        overdispersion=overdispersion(
            whole.estimate.value, [team.estimate for team in groups["teams"]]
        ),
        corrected=loaded.severity is not None,
        model=rules.model_facts(loaded.model),
        **trends.over_time(session, scope, month=month, zone=zone, about=about, whole=whole),
    )


def _groups(session: Session, loaded: LoadedMonth, *, name: str) -> dict[str, tuple[Group, ...]]:
    """Make every line of the report: the whole, projects, departments, teams, agents."""
    whole = _whole(loaded, name)
    standing_of = standings(
        loaded.estimates,
        {a.agent_id: loaded.by_agent.get(a.agent_id, []) for a in loaded.agents},
        loaded.model,
        target=whole.target,
    )
    departments = _grouped(loaded.agents, lambda a: a.department)
    teams = _grouped(loaded.agents, lambda a: (a.department, a.team, a.team_id))
    return {
        "whole": (whole,),
        "projects": _projects(session, loaded),
        "departments": tuple(
            loaded.group("department", department, "", members, loaded.departments.get(department))
            for department, members in departments.items()
        ),
        "teams": tuple(
            loaded.group("team", team, department, members, team_id)
            for (department, team, team_id), members in teams.items()
        ),
        "agents": tuple(
            replace(
                loaded.group(
                    "agent", a.agent, a.team, [a], a.agent_id, standing_of.get(a.agent_id)
                ),
                left_on=a.left_on,
            )
            for a in loaded.agents
        ),
    }


def _whole(loaded: LoadedMonth, name: str) -> Group:
    """Make the line of the whole; of a report about one agent it has the agent's figure."""
    if loaded.scope.agent_id is None or len(loaded.agents) != 1:
        return loaded.group("whole", name, "", loaded.agents)
    line = loaded.group("agent", name, "", loaded.agents, loaded.agents[0].agent_id)
    return replace(line, kind="whole", id=None)


def _projects(session: Session, loaded: LoadedMonth) -> tuple[Group, ...]:
    """Make the lines of the projects with calls in the scope."""
    agent_ids = {a.agent_id for a in loaded.agents}
    groups = []
    for project in store.projects(session):
        total = loaded.by_project.get(project.id)
        if total is not None:
            cards = [
                card
                for card in loaded.cards
                if card.project_id == project.id and card.agent_id in agent_ids
            ]
            groups.append(loaded.line("project", project.name, "", cards, total, project.id))
    return tuple(groups)


def _grouped(
    agents: Sequence[AgentFacts], key: Callable[[AgentFacts], Key]
) -> dict[Key, list[AgentFacts]]:
    groups: dict[Key, list[AgentFacts]] = {}
    for agent in agents:
        groups.setdefault(key(agent), []).append(agent)
    return groups


def figure(report: MonthReport) -> dict[str, Any]:
    """Return what trends and sparks need of a month."""
    groups = {"teams": report.teams, "departments": report.departments, "projects": report.projects}
    return {
        "whole": report.whole.estimate.document(),
        "agents": {
            str(agent.id): agent.estimate.document()
            for agent in report.agents
            if agent.estimate.value is not None
        },
        "criteria": {line.criterion: line.points_lost for line in report.criteria},
        "critical": report.whole.critical.document(),
        **{
            kind: {group.name: group.estimate.document() for group in lines}
            for kind, lines in groups.items()
        },
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
    """Return a month's report as a document: the cached one, if it is servable, else made anew.

    One made anew comes along, and can be kept. While nothing changed, what became of the drawn
    calls is counted now. Raises MonthRefused, UnknownScope.
    """
    scope = resolve_scope(session, month, zone, About(project))
    before = month.previous().bounds(zone)[0]
    cache_key = store.cache_key(session, scope, before=before, day=at.astimezone(zone).date())
    report: MonthReport | None = None

    def compute() -> dict[str, Any]:
        nonlocal report
        report = month_report(
            session,
            month=month,
            zone=zone,
            minimum=minimum,
            titles=titles,
            at=at,
            about=About(project),
        )
        return report.document()

    result = get_or_compute(
        session,
        ResultKind.REPORT,
        f"{month} {project or ''}",
        compute,
        cache_key=cache_key,
        at=at,
        allow_stale=allow_stale,
        force_refresh=force_refresh,
    )
    if report is None and result.is_current:
        counts = asdict(store.coverage(session, scope, now=at))
        totals = {
            key: result.document["coverage"][key]
            for key in ("calls", "checked", "flagged", "heard", "confirmed")
        }
        result = replace(result, document=result.document | {"coverage": counts | totals})
    return result, report


def close_month(session: Session, *, report: MonthReport, by: int | None, at: datetime) -> int:
    """Freeze the month as it is now, and return the revision's number.

    Closing again makes a further revision and keeps the earlier ones.
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


def _criteria(
    session: Session,
    scope: Scope,
    titles: Titles,
    tallies: Sequence[Tally],
    cards: list[ScoredCall],
    previous: PreviousMonth,
) -> tuple[CriterionLine, ...]:
    """Make the lines of the criteria, the costliest first, with calls to hear of the worst."""
    weights = weight_sums(cards)
    lines = []
    for tally in tallies:
        earlier = previous.tallies.get(tally.criterion)
        moved = None
        if earlier is not None:
            moved = score_change(tally, earlier, weights, previous.weights, criteria=len(tallies))
        lines.append(
            CriterionLine(
                criterion=tally.criterion,
                title=titles.get(tally.criterion, {"en": tally.criterion}),
                answered=tally.answered,
                lost=loss_rate(tally),
                not_applicable=tally.not_applicable,
                automatic=rules.wilson(tally.unchanged, tally.automatic),
                fails=tally.fails,
                points_lost=points_lost(tally, weights.weight),
                moved=moved,
            )
        )
    lines.sort(key=lambda line: (-(line.points_lost or 0), -line.lost.count, line.criterion))
    criteria = _criteria_to_hear(lines)
    examples = store.examples(session, sorted(criteria), scope) if criteria else {}
    return tuple(replace(line, examples=tuple(examples.get(line.criterion, ()))) for line in lines)


def _criteria_to_hear(lines: Sequence[CriterionLine]) -> set[str]:
    """Pick the criteria that cost most and those that fell most, from the costliest first."""
    worst = {line.criterion for line in lines[:MAX_MOVERS] if line.lost.count}
    by_change = sorted(lines, key=lambda line: line.moved.value if line.moved else 0)
    fallen = {
        line.criterion for line in by_change[:MAX_MOVERS] if line.moved and line.moved.value < 0
    }
    return worst | fallen


def _coverage(
    session: Session, scope: Scope, loaded: LoadedMonth, cards: Sequence[ScoredCall], at: datetime
) -> Coverage:
    """Count what became of the month's calls."""
    total = sum((loaded.totals[a.agent_id] for a in loaded.agents), Totals())
    flagged = [card for card in cards if card.is_flagged]
    return replace(
        store.coverage(session, scope, now=at),
        calls=total.calls,
        checked=total.checked,
        flagged=total.flagged,
        heard=len(flagged),
        confirmed=sum(card.is_breach for card in flagged),
    )


def _agreement(
    session: Session, month: Month, zone: ZoneInfo, tallies: Sequence[Tally]
) -> AgreementFacts:
    """Measure how far evaluators agree with each other, and with the checks."""
    agreement, same_answers = fairness.month_agreement(session, month=month, zone=zone)
    automatic = rules.wilson(
        sum(tally.unchanged for tally in tallies), sum(tally.automatic for tally in tallies)
    )
    return AgreementFacts(
        calls=agreement.calls,
        alpha=agreement.alpha,
        low=agreement.low,
        high=agreement.high,
        same_answers=same_answers,
        automatic=automatic,
    )
