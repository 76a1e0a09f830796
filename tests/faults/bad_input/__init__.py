"""Bad input, table by table: what is broken, how the command must end, and the words that it must say."""
