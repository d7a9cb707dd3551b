"""A simulated centre for trials and benchmarks, marked as simulated wherever it shows.

Agents of differing quality who drift and are trained, teams in three languages, calls with
automatic answers that err as real ones do, evaluators of differing severity, double scoring,
disputes, complaints and ratings, transcripts of the scored calls. There are no recordings.
"""

from qa.simulation.service import AlreadySimulated, Simulated, simulate_centre

__all__ = ["AlreadySimulated", "Simulated", "simulate_centre"]
