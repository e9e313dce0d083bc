"""Which items a list may have: filters, and the language that a request says them in."""
