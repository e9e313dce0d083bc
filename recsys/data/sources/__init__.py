"""Sources of raw files: a local cache, a path that the user gives, an official archive, a package index."""
