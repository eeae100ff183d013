"""How good embeddings are on labelled tasks."""
