"""What a caller does: starting, answering, reading and following runs."""
