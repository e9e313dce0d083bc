"""Where raw files come from: a local cache, a path that the user gives, an official archive, a package index."""
