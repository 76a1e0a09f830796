"""What happened in a run, as data: events, their lines in a file, and folds over them."""
