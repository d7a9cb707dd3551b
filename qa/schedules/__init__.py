"""Reports that are made by themselves: which, when, for whom, and how far they are."""
