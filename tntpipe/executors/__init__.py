"""The machine as a world in which a schedule happens: children, signals, what they leave."""
