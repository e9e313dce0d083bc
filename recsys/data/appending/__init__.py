"""Appending interactions to prepared data: only the new rows are read and encoded, and no index moves."""
