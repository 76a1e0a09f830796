"""``python -m tntpipe`` is the command ``tntpipe``."""

import sys

from tntpipe.cli.main import main

sys.exit(main())
