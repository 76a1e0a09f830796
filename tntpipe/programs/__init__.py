"""The programs that steps name: where they are, how they start, and which version they are."""
