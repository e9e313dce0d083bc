"""Preparation in partitions of the users, which takes the memory of one partition at a time."""
