"""Locks that threads share, and that a forked process does not inherit held."""
