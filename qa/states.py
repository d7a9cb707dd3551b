"""Define the states and kinds that records can be in, as stored in the database.

Every member's value is the text that stands in the tables, in `--json` documents and in URLs.
"""

import enum


class CalibrationState(enum.Enum):
    SCORING = "scoring"
    # all have scored, or the manager ended the scoring; people see each other's answers
    REVIEW = "review"
    CLOSED = "closed"


class Direction(enum.Enum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ImportOutcome(enum.Enum):
    """What became of one file."""

    IMPORTED = "imported"
    FLAGGED = "flagged"  # imported, but a part of the sound is lost
    KNOWN = "known"  # the same recording was here already
    REFUSED = "refused"


class CaseKind(enum.Enum):
    DIFFICULT = "difficult"  # promised a reply by a time
    PRAISE = "praise"
    COMPLAINT = "complaint"
    GUIDE = "guide"  # a note to an agent
    PROPOSAL = "proposal"  # for the knowledge base


class CaseState(enum.Enum):
    OPEN = "open"
    ESCALATED = "escalated"  # with the leader
    DONE = "done"  # replied, read, taken over
    UPHELD = "upheld"  # praise deserved, complaint right, proposal accepted
    DECLINED = "declined"


class FormState(enum.Enum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Role(enum.Enum):
    AGENT = "agent"
    TEAM_LEADER = "team_leader"
    EVALUATOR = "evaluator"
    QA_MANAGER = "qa_manager"
    TRAINER = "trainer"
    ADMINISTRATOR = "administrator"
    DIRECTOR = "director"  # above the leaders: the last word in a dispute, and the board's page


class TaskState(enum.Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Step(enum.StrEnum):
    """A step of the pipeline, as the task ledger stores it."""

    SAMPLE = "sample"  # of a day
    TRANSCRIBE = "transcribe"  # of a call, like the next three
    REPLACE_ORIGINAL = "forget"
    CHECK = "check"
    QUEUE = "queue"
    REPLACE_SKIPPED = "replace"  # of an assignment


class ResultKind(enum.Enum):
    """What a kept result is."""

    REPORT = "report"
    NEEDS = "needs"


class RunState(enum.Enum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Audience(enum.Enum):
    """For whom a report is written: how deep it goes."""

    MANAGER = "manager"  # everything
    BOARD = "board"  # the whole, departments, what moved, measures; no single agent
    LEADER = "leader"  # one team with its agents


class Phase(enum.Enum):
    AUTOMATIC = "automatic"  # which calls are transcribed and checked
    HUMAN = "human"  # which of those go to people


class AssignmentState(enum.Enum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    EXPIRED = "expired"  # nobody scored it in time
    WITHDRAWN = "withdrawn"  # taken out by a person


class AssignmentKind(enum.Enum):
    """Why a person fills a form for a call.

    Only a standard card counts in a figure and reaches the agent.
    """

    STANDARD = "standard"
    DOUBLE = "double"  # a second evaluator, who does not see the first
    SELF = "self"  # the agent, on an own call
    CALIBRATION = "calibration"


class ScorecardState(enum.Enum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    VOID = "void"  # taken back by a person; counts nowhere


class DisputeState(enum.Enum):
    OPEN = "open"
    UPHELD = "upheld"  # the agent was right
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DisputeLevel(enum.Enum):
    """Who decides: one level higher with every round."""

    EVALUATOR = "evaluator"
    QA_MANAGER = "qa_manager"
    DIRECTOR = "director"


class RevisionCause(enum.Enum):
    SUBMITTED = "submitted"
    DISPUTE = "dispute"
    RE_EVALUATION = "re_evaluation"


class Indicator(enum.Enum):
    """What is measured. Quality and satisfaction are 0–100, the others shares 0–1."""

    QUALITY = "quality"  # estimated mean score: at least
    CRITICAL = "critical"  # rate of calls with a critical breach: at most
    CRITERION = "criterion"  # share of points kept on one criterion: at least
    SATISFACTION = "satisfaction"  # mean of the customers' ratings: at least


class ScopeKind(enum.Enum):
    WHOLE = "whole"
    PROJECT = "project"
    DEPARTMENT = "department"
    TEAM = "team"
    AGENT = "agent"


class ImprovementActionState(enum.Enum):
    PROPOSED = "proposed"  # nobody has agreed to it yet
    AGREED = "agreed"
    DONE = "done"
    DROPPED = "dropped"


class TrainingPlanState(enum.Enum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    DROPPED = "dropped"


class TrainingArm(enum.Enum):
    FIRST = "first"
    WAITING = "waiting"  # trained later, after the others have been compared with them
