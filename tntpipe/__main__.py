"""``python -m tntpipe`` is the command ``tntpipe``."""

from tntpipe.cli.main import command

command()
