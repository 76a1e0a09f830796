"""Draws the display of a recorded run at one instant, as SVG.

    python tools/screen_picture.py JOURNAL SECONDS docs/pictures/dashboard.svg --columns 120 --lines 36

SECONDS count from the beginning of the run. The picture needs no font from elsewhere.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from tntpipe.dashboard.frame import screen
from tntpipe.journal.reader import read_journal
from tntpipe.journal.run_state import RunState
from tntpipe.run.sinks import FOOTER

SMOKE = ("--help",)

THEME = TerminalTheme(
    (24, 26, 31),
    (220, 223, 228),
    [(24, 26, 31), (240, 98, 98), (126, 200, 108), (229, 192, 92), (90, 140, 220), (198, 120, 221), (86, 192, 210)]
    + [(220, 223, 228)],
)


def main() -> None:
    """Fold the events up to the instant, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("journal", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--lines", type=int, default=36)
    options = parser.parse_args()
    state = RunState()
    for t, event in read_journal(options.journal):
        if state.facts is not None and t > state.started + options.seconds:
            break
        state.apply(t, event)
    footer = f"{FOOTER}{options.journal.with_name('run.log')}"
    console = Console(
        record=True,
        file=io.StringIO(),
        width=options.columns,
        height=options.lines,
        force_terminal=True,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(screen(state, state.started + options.seconds, options.columns, options.lines, footer), end="")
    svg = console.export_svg(title="tntpipe", theme=THEME)
    options.picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
