"""From a checkpoint to embeddings, numbers, figures and a report."""
