"""What is run: frozen descriptions of commands. Nothing here touches a disk."""
