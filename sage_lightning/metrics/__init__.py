"""Plain numbers from embeddings: NumPy arrays in, floats out. N rows, D features, Q queries."""
