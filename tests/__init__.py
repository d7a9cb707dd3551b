"""Tests; every process has one thread for linear algebra, for the workers of a run share the cores
(and threads that wait for each other cost more than they give).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
