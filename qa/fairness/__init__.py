"""Fairness of scoring: agreement, severity of evaluators, weak criteria, disputes, checks."""
