"""How a list is ordered anew: for diversity, or for the mix of a user's history."""
