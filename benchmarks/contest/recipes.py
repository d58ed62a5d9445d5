"""What each contestant was tuned to, and all that was tried: overrides of `python train.py`.

Trials were run on validation pairs (`python benchmarks/quality.py --trials`), never on those of the test; as
many of either side. Learning rates are for a batch of 256, and fall with it.
"""

Recipes = dict[str, dict[str, dict[str, list[str]]]]

# A field of 8-bit display values: an offset of 1 is none.
PAIRS = ["augment.photometric.ir_offset=1"]
ALIGNED = ["experiment=vicreg_aligned"]
RESNET = [
    f"{text}"
    for sensor in ("rgb", "ir")
    for text in (
        f"model/backbone@model.{sensor}_backbone=resnet18",
        f"model.{sensor}_backbone.options={{layers:[1,1,1,1],channels:[16,32,64,64],output_stride:8}}",
    )
]
REGIONS = [f"model.{sensor}_backbone.regions=12" for sensor in ("rgb", "ir")]
LARGE = [
    *("data.rgb_size=128", "data.ir_size=128"),
    *(f"model.{sensor}_backbone.regions=16" for sensor in ("rgb", "ir")),
]
CROPS = ["augment.view.scale=[0.7,1.0]"]
ASSEMBLY = [*PAIRS, "data.batch_size=32", "optimizer.lr=8e-3"]
OURS = [*PAIRS, *ALIGNED]
LINEAR = [
    *("data.look=common", "data.rgb_size=96", "data.ir_size=96", "data.batch_size=32"),
    *("model.local=true", "model.sharing=full", "model.projector=[128]", "optimizer.lr=24e-3"),
    *RESNET,
    *REGIONS,
]

TRIALS: Recipes = {
    "pairs": {
        "Lightly": {
            "ViTs of 4 blocks, 112 px, patch 16, rate 0.008": ASSEMBLY,
            "ViTs, rate 0.016": [*ASSEMBLY, "optimizer.lr=16e-3"],
            "ViTs, projector of 2048": [*ASSEMBLY, "model.projector=[2048,2048,2048]"],
            "ViTs, common look": [*ASSEMBLY, "data.look=common"],
            "ResNets": [*ASSEMBLY, *RESNET],
            "ResNets, common look, rate 0.024": [
                *ASSEMBLY,
                *RESNET,
                "data.look=common",
                "optimizer.lr=24e-3",
            ],
            "ViTs, crops of 0.7 and more": [*ASSEMBLY, *CROPS],
        },
        "ours": {
            "experiment=vicreg_aligned": OURS,
            "projector of 256, wide to its end": [*OURS, "model.projector=[256,256,256]"],
            "ResNets, linear projector, rate 0.024": [*PAIRS, *LINEAR],
            "the same, crops of 0.7 and more": [*PAIRS, *LINEAR, *CROPS],
            "the same, 128 px in 16 × 16 regions": [*PAIRS, *LINEAR, *LARGE],
            "ResNets, projector of 256, rate 0.008": [
                *(*PAIRS, *LINEAR),
                "model.projector=[256,256,128]",
                "optimizer.lr=8e-3",
            ],
            "ViTs apart, own looks": [*OURS, "data.look=own", "model.sharing=separate"],
        },
    },
}

# Ours has two for pairs: each is the better one in a space of its own.
RECIPES: Recipes = {
    "pairs": {
        "Lightly": {"ResNets, common look": [*ASSEMBLY, *RESNET, "data.look=common", "optimizer.lr=24e-3"]},
        "ours": {"ViT of regions": OURS, "ResNet of regions": [*PAIRS, *LINEAR, *LARGE]},
    },
    "simulated": {"Lightly": {"default": []}, "ours": {"ViT of regions": ALIGNED}},
}
