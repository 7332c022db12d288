"""Where what nodes returned is kept for the next time that they get the same."""
