"""Experiments on what users are shown: assignment, rollout, interleaving, off-policy estimates and their statistics."""
