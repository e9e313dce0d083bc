"""What is said of raw data: their columns, their ids, how their tables join."""
