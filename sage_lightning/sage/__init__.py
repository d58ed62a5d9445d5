"""The Sage and Mobotix world: names, formats, positions, nodes and the sun."""
