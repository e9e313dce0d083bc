"""Versions of bundles under names, in a registry, and which of them is live."""
