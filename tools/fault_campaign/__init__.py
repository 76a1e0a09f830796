"""Kills a run of real steps at random moments, starts it again, and checks that nothing is lost."""
