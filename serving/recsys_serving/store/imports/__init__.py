"""The import of a prepared directory."""
