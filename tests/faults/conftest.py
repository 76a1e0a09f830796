"""What the tests of faults share with those of runs and of the command line, and with the campaign in ``tools``."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]
