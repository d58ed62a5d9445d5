"""What a run logged, with the runs that it went on from."""

from pathlib import Path

import pandas as pd
from omegaconf import OmegaConf

from sage_lightning.checkpoints import find_checkpoint


def history(folder: Path) -> pd.DataFrame | None:
    """metrics.csv of a run, from its first step on: of a resumed run, that of its earlier parts comes first.

    Steps that a part did after its last checkpoint were done again by the next part: they count once.

    Args:
        folder: of the run.

    Returns:
        None for a checkpoint that lies alone; parts whose folder is gone are left out.
    """
    if not (folder / "metrics.csv").is_file():
        return None
    table = pd.read_csv(folder / "metrics.csv")
    begun = OmegaConf.select(OmegaConf.load(folder / "config.yaml"), "resume")
    if begun is None or not Path(begun).exists():
        return table
    earlier = history(find_checkpoint(Path(begun)).parent.parent)
    if earlier is None:
        return table
    return pd.concat([earlier[earlier["step"] < table["step"].min()], table], ignore_index=True)
