"""Users: attributes, accounts and merges, erasure, the state that an answer needs."""
