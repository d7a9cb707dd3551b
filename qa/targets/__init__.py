"""Targets, whether they are met, and what is done where they are not."""
