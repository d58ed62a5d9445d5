"""Embeddings in, cluster labels out."""
