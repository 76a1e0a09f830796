"""The screen of a run: from its state to lines of styled text (pure), and from these to a terminal."""
