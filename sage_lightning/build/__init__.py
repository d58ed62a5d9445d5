"""Config → objects, and the only caller of Hydra's instantiate. What needs torch is behind `learning`."""
