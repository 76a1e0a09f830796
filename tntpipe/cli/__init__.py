"""The command line: parser, settings, run; the only place that names options or prints errors."""
