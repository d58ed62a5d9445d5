"""How a run's config deals pairs to splits."""

from omegaconf import DictConfig, OmegaConf

from sage_lightning.data.split import Split


def split(cfg: DictConfig) -> Split:
    """The split that `data.split` describes; checkpoints of before `by` and `gap_days` have neither."""
    data = cfg.data
    return Split(
        val=data.split.val,
        test=data.split.test,
        seed=data.split.seed,
        by=OmegaConf.select(cfg, "data.split.by"),
        gap_days=OmegaConf.select(cfg, "data.split.gap_days", default=0),
    )
