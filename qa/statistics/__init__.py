"""Formulas that several stages share, with their sources.

Pure; each is tested against published values.
"""
