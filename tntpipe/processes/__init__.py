"""What keeps a run and all that it starts together: children die with their parent, and nothing is left over."""
