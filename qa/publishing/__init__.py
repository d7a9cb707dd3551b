"""Publish the monthly report: its document, its files, and schedules that deliver them."""
