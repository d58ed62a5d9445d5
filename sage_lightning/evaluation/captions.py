"""What stands under each figure of the report, in words that fit the collection and the towers."""

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation.examples import WRONG_RANK
from sage_lightning.evaluation.figures.scores import LOWEST_R2
from sage_lightning.evaluation.figures.sheets import FULL_LIGHT
from sage_lightning.evaluation.figures.style import SENSOR_NAMES
from sage_lightning.evaluation.known import Known


def captions(known: Known, attends: dict[str, bool], clusters: dict[str, Clusters]) -> dict[str, str]:
    """Name of a figure → its caption.

    Args:
        known: what is known of the scored pairs.
        attends: sensor → whether the tower's maps are heads' attention.
        clusters: sensor → grouping.
    """
    among = "those of one (node, position)" if known.positions else "those of the whole split"
    return {
        "curves": "Training and validation, on held-out pairs, over optimiser steps.",
        "retrieval": f"R@1; lines are 95 % intervals over {known.intervals}; the upright stroke is chance.",
        "readouts_r2": "R² of linear probes of the backbone; 0 is to say the mean always. What is worse than "
        f"{LOWEST_R2:g} stands at the edge.",
        "readouts_accuracy": "Accuracy of linear probes of the backbone; the upright stroke is the share of "
        "the commonest label.",
        "maps": "Backbone embeddings by t-SNE of their first 50 principal components: neighbours are meant, "
        "distances are not. Names in a map stand where most of their kind lie.",
        "attention": _attention(attends),
        "searches_rgb": f"Queries by RGB, whose thermal frame is sought among {among}: some that found their "
        f"own frame (green), then some that did not, from below rank {WRONG_RANK} if any stood there, else "
        "from below the first. Chosen by even spacing, not by eye.",
        "searches_ir": "The same the other way: queries by thermal frame among the RGB pictures.",
        **{f"clusters_{sensor}": _clusters(sensor, found, known) for sensor, found in clusters.items()},
    }


def _attention(attends: dict[str, bool]) -> str:
    looking, strong = ([sensor for sensor in attends if attends[sensor] is heads] for heads in (True, False))
    said = []
    if looking:
        whose = "each tower's" if not strong else f"the {SENSOR_NAMES[looking[0]]} tower's"
        said.append(
            f"Where each head of {whose} last block looks, on the view that it is given: full light is "
            f"{FULL_LIGHT:g} times an even share."
        )
    if strong:
        whose = "each tower's" if not looking else f"the {SENSOR_NAMES[strong[0]]} tower's"
        said.append(
            f"How strong {whose} last features are (their norm), on the view that it is given, as this "
            "architecture has no heads that could be asked: full light is the strongest place of a view."
        )
    return " ".join(said)


def _clusters(sensor: str, found: Clusters, known: Known) -> str:
    spaced = "evenly spaced in time" if known.days else "evenly spaced"
    if not found.sizes:
        return f"The {SENSOR_NAMES[sensor]} embedding has no cluster, only noise; examples are {spaced}."
    return f"Clusters of the {SENSOR_NAMES[sensor]} embedding, the largest first; examples are {spaced}."
