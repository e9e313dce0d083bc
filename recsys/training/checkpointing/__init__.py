"""Checkpoints, and what a user is told of one that cannot be read."""
