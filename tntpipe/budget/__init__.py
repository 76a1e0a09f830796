"""What this process may really use: the smallest of the limits that machine, control groups and batch system set."""
