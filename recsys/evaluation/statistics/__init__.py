"""Intervals of means over users, tests of pairs of models, and corrections for many of them."""
