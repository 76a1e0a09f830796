"""What a run did and what it cost, as a page and as a trace: folds over its journal, then figures, then files."""
