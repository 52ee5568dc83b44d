"""Batched sampling with torch."""
