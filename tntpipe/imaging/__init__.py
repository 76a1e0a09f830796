"""Arithmetic on images, points and tables, each also a command of ``python -m tntpipe.imaging``; nibabel's home."""
