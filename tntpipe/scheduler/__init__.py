"""Decides what starts when: events in, actions out; no clock, thread, file or process here."""
