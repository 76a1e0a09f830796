"""From scans to a study: one table of every scan of an output folder, in words that pandas and R take."""
