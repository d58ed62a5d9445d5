"""How a run's config deals pairs to splits."""

from omegaconf import DictConfig, OmegaConf

from sage_lightning.data.split import Split


def split(cfg: DictConfig) -> Split:
    """The split that `data.split` describes; checkpoints of before `by`, `gap_days` and `deal` have none."""
    data = cfg.data
    deal = OmegaConf.select(cfg, "data.split.deal")
    return Split(
        val=data.split.val,
        test=data.split.test,
        seed=data.split.seed,
        by=OmegaConf.select(cfg, "data.split.by"),
        gap_days=OmegaConf.select(cfg, "data.split.gap_days", default=0),
        deal=None if deal is None else tuple(deal),
        refuse_few="deal" in data.split,
    )
