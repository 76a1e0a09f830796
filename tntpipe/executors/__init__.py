"""Worlds in which a schedule happens (machine, simulated clock), and the one loop that drives them."""
