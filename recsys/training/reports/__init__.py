"""What a training tells of its epochs: while it runs, when it ends, and as curves."""
