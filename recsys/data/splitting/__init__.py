"""Strategies that divide interactions into training, validation and test; one file each."""
