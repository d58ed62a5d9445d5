"""Modules whose parameters ship with inference: backbones, projectors, towers."""
