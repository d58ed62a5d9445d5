"""LightningModules, and the state that lives only in training."""
