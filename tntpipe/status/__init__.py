"""How a run stands, seen from outside."""
