"""What a run will be like before it begins: its forecast, the pictures of it, and how other budgets would do."""
