"""How fair scoring is: agreement over time, severity of evaluators, criteria that tell nothing,
disputes, checks that err on some calls more.
"""
