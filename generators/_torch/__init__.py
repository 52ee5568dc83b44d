"""Continuous batching and sampling with torch, for the engine `transformers`."""
