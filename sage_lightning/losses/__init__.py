"""Pure functions: tensors in, differentiable scalars out."""
