"""What happened: interactions and exposures."""
