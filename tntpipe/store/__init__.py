"""What is on the disk: the work folder and its records, derivatives, locks, logs of steps."""
