"""What is done when memory runs short, and after somebody died of it."""
