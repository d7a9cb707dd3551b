"""Earshot: call quality that people can defend.

A call travels intake → sample → transcribe → check → queue → score → report → train.
"""
