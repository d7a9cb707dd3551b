"""Load a month once: scored calls, totals, the pooled model, ratings, targets."""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.fairness import service as fairness
from qa.months import Month
from qa.reporting import store
from qa.reporting.rules import estimates as rules
from qa.reporting.rules.criteria import WeightSums, weight_sums
from qa.reporting.rules.satisfaction import summarize_ratings
from qa.reporting.types.estimate import (
    Basis,
    Estimate,
    ScoredCall,
    Standing,
    Tally,
    Totals,
    Verdict,
)
from qa.reporting.types.lines import Group, Satisfaction
from qa.reporting.types.scope import About, AgentFacts, Scope, UnknownScope
from qa.states import Indicator, ScopeKind
from qa.statistics.survey_estimators import PooledModel
from qa.targets import rules as targeting
from qa.targets import store as targets
from qa.targets.types import Target


@dataclass
class LoadedMonth:
    """A month's scored calls, totals and model, loaded once, from which the lines are made."""

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
        """Make the line of an agent, a team, a department or the whole from its members."""
        cards = [card for m in members for card in self.by_agent.get(m.agent_id, ())]
        total = sum((self.totals.get(m.agent_id, Totals()) for m in members), Totals())
        line = self.line(kind, name, parent, cards, total, group_id)
        satisfaction = self.satisfaction([m.agent_id for m in members]) if self.ratings else None
        return replace(line, standing=standing, satisfaction=satisfaction)

    def line(
        self,
        kind: str,
        name: str,
        parent: str,
        cards: Sequence[ScoredCall],
        total: Totals,
        group_id: int | None,
    ) -> Group:
        """Make a line from its scorecards and the totals of its calls."""
        estimate = self._estimate(kind, group_id, cards, total)
        target = self._target(kind, name, group_id)
        return Group(
            kind=kind,
            id=group_id,
            name=name,
            parent=parent,
            checked=total.checked,
            estimate=estimate,
            critical=rules.critical_rate(cards, total),
            target=target,
            verdict=_verdict(estimate, target),
            raw=self._uncorrected(kind, cards, total) if self.severity else None,
        )

    @functools.cached_property
    def estimates(self) -> dict[int, Estimate]:
        """The figure of every agent."""
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
        """Return the cards of the report's agents; what all share is estimated from more."""
        return [card for a in self.agents for card in self.by_agent.get(a.agent_id, ())]

    def satisfaction(self, agent_ids: Sequence[int]) -> Satisfaction | None:
        """Summarize the customers' ratings of these agents' calls."""
        ratings = [self.ratings[a] for a in agent_ids if a in self.ratings]
        if not ratings:
            return None
        sums = {key: sum(own[key] for _, own in ratings) for key in store.SUMS}
        return summarize_ratings(sum(count for count, _ in ratings), sums)

    def _estimate(
        self, kind: str, group_id: int | None, cards: Sequence[ScoredCall], total: Totals
    ) -> Estimate:
        if kind != "agent":
            return rules.estimate_group(
                cards, total, self.model, minimum=self.minimum, severity=self.severity
            )
        if group_id is not None and group_id in self.estimates:
            return self.estimates[group_id]
        return rules.estimate_agent(
            cards, total, self.model, minimum=self.minimum, severity=self.severity
        )

    def _uncorrected(self, kind: str, cards: Sequence[ScoredCall], total: Totals) -> Estimate:
        """Estimate without the correction for evaluators' severity."""
        estimate = rules.estimate_agent if kind == "agent" else rules.estimate_group
        return estimate(cards, total, self.raw_model, minimum=self.minimum)

    def _target(self, kind: str, name: str, group_id: int | None) -> float | None:
        """Find the quality target that applies to a line."""
        scopes = {ScopeKind.WHOLE: None} | self._target_scopes(kind, name, group_id)
        target = targeting.applying(self.targets, Indicator.QUALITY, self.month, scopes)
        return target.value if target else None

    def _target_scopes(
        self, kind: str, name: str, group_id: int | None
    ) -> dict[ScopeKind, int | None]:
        """List the scopes whose targets are a line's too, beside those of the whole."""
        if kind == "whole":
            return self._narrowed()
        if kind == "department":
            return {ScopeKind.DEPARTMENT: self.departments.get(name)}
        if group_id is None:
            return {}
        if kind == "team":
            return {ScopeKind.TEAM: group_id}
        if kind == "project":
            return {ScopeKind.PROJECT: group_id}
        agent = self.facts.get(group_id)
        if agent is None:
            return {ScopeKind.AGENT: group_id}
        return {
            ScopeKind.AGENT: group_id,
            ScopeKind.TEAM: agent.team_id,
            ScopeKind.DEPARTMENT: self.departments.get(agent.department),
        }

    def _narrowed(self) -> dict[ScopeKind, int | None]:
        """Name the scope of a partial report as targets do."""
        ids = {
            ScopeKind.PROJECT: self.scope.project_id,
            ScopeKind.DEPARTMENT: self.scope.department_id,
            ScopeKind.TEAM: self.scope.team_id,
            ScopeKind.AGENT: self.scope.agent_id,
        }
        return {kind: scope_id for kind, scope_id in ids.items() if scope_id is not None}


def _verdict(estimate: Estimate, target: float | None) -> Verdict | None:
    if target is None:
        return None
    return rules.verdict(estimate.value, estimate.low, estimate.high, target)


@dataclass(frozen=True)
class PreviousMonth:
    """The estimate, tallies and weights of the month before, to compare with."""

    estimate: Estimate
    tallies: dict[str, Tally]
    weights: WeightSums


def load_month(
    session: Session, *, month: Month, zone: ZoneInfo, minimum: int, scope: Scope
) -> LoadedMonth:
    """Load everything that the lines of a month's report are made from."""
    agents = store.agents(session, scope)
    per_agent, per_project = _totals(session, scope)
    scored = store.scored_calls(session, scope.everybody)
    cards = _with_stand_ins(session, scope, scored, per_agent)
    own = {a.agent_id for a in agents}
    severity = fairness.correction(session, month=month, zone=zone)
    return LoadedMonth(
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
        unchecked=sum(card.automatic is None and card.agent_id in own for card in scored),
        scope=scope,
    )


def load_previous_month(
    session: Session, *, month: Month, zone: ZoneInfo, minimum: int, scope: Scope
) -> PreviousMonth:
    """Load what changes are measured against: the same scope in the month before."""
    begin, end = month.previous().bounds(zone)
    earlier = replace(scope, begin=begin, end=end)
    scored = store.scored_calls(session, earlier.everybody)
    if not scored:
        return PreviousMonth(Estimate(Basis.NO_CARDS, 0, 0), {}, WeightSums(0.0, 0.0))
    per_agent, _per_project = _totals(session, earlier)
    own_agents = {a.agent_id for a in store.agents(session, scope)} & set(per_agent)
    total = sum((per_agent[a] for a in own_agents), Totals())
    cards = _with_stand_ins(session, earlier, scored, per_agent)
    severity = fairness.correction(session, month=month.previous(), zone=zone)
    own = [card for card in cards if card.agent_id in own_agents]
    estimator = rules.estimate_group if scope.agent_id is None else rules.estimate_agent
    estimate = estimator(
        own, total, rules.model_of(cards, severity), minimum=minimum, severity=severity
    )
    tallies = {tally.criterion: tally for tally in store.tallies(session, earlier)}
    return PreviousMonth(estimate, tallies, weight_sums(own))


def resolve_scope(session: Session, month: Month, zone: ZoneInfo, about: About) -> Scope:
    """Look up the ids of the names that a report is about. Raises UnknownScope."""
    begin, end = month.bounds(zone)
    named = {
        "project_id": (store.project, about.project),
        "department_id": (store.department, about.department),
        "team_id": (store.team, about.team),
    }
    ids = {field: find(session, name) for field, (find, name) in named.items() if name}
    if about.agent:
        agent = store.agent(session, about.agent)
        ids["agent_id"] = agent[0] if agent else None
    for field, scope_id in ids.items():
        if scope_id is None:
            raise UnknownScope(about.agent if field == "agent_id" else named[field][1])
    scope = Scope(begin, end, **ids)
    if about.agent and not store.agents(session, scope):  # somebody of another team or department
        raise UnknownScope(about.agent)
    return scope


def _totals(
    session: Session, scope: Scope, among: Collection[int] | None = None
) -> tuple[dict[int, Totals], dict[int, Totals]]:
    """Add up calls by agent and by project."""
    per_agent: dict[int, Totals] = {}
    per_project: dict[int, Totals] = {}
    for row in store.totals(session, scope, among=among):
        own = Totals(row.calls, row.checked, row.automatic_sum, row.flagged)
        per_agent[row.agent_id] = per_agent.get(row.agent_id, Totals()) + own
        per_project[row.project_id] = per_project.get(row.project_id, Totals()) + own
    return per_agent, per_project


def _with_stand_ins(
    session: Session, scope: Scope, cards: list[ScoredCall], totals: Mapping[int, Totals]
) -> list[ScoredCall]:
    """Give each of everybody's cards an automatic score.

    A report about a part asks for no more of the others' calls than that needs.
    """
    lacking = {card.agent_id for card in cards if card.automatic is None}
    if not lacking:
        return cards
    if not scope.is_part:
        return rules.with_stand_ins(
            cards,
            {agent_id: own.automatic_mean for agent_id, own in totals.items()},
            sum(totals.values(), Totals()).automatic_mean,
        )
    totals_of_lacking, _ = _totals(session, scope.everybody, among=lacking)
    means = {agent_id: own.automatic_mean for agent_id, own in totals_of_lacking.items()}
    checked, mean = store.automatic_means(session, scope.everybody, (scope.begin, scope.end))[0]
    return rules.with_stand_ins(cards, means, mean if checked else None)
