"""Measures children and turns measurements into estimates; the home of psutil."""
