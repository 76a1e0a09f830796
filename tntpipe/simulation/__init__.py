"""A schedule played on a simulated clock, and those who look ahead with it."""
