"""What time alone does: seeds are committed to, cards reach their release day, disputes rise, places expire, promises fall due. Safe to run at any moment, twice or not at all."""

from qa.assignment import service as assignment
from qa.cases import service as cases
from qa.disputes import service as disputes
from qa.sampling import service as sampling
from qa.scoring import service as scoring
from qa.wiring import Wiring


def keep(wiring: Wiring) -> dict[str, int]:
    """One round; how many of each were moved."""
    settings, at = wiring.settings, wiring.clock()
    with wiring.database.write() as session:
        sampling.commit_seeds(session, zone=settings.zone, at=at)
        return {
            "released": scoring.release_due(session, at=at),
            "disputes risen": disputes.rise(session, decide_days=settings.dispute_decide_days, at=at),
            "people reminded": cases.remind(session, at=at),
            "places expired": assignment.expire(session, after_days=settings.expire_days, at=at),
        }
