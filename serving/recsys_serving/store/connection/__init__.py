"""Connections to PostgreSQL: the pool, its patience, its errors."""
