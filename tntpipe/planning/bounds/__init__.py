"""What no schedule can avoid: the terms of the lower bound, one module for each."""
