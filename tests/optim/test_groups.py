"""Every parameter is in one group, and the right one."""

import timm
import torch

from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.optim.groups import parameter_groups


def names(module):
    known = {id(p): name for name, p in module.named_parameters()}
    return [{known[id(p)] for p in group["params"]} for group in parameter_groups(module)]


def test_a_vits_matrices_decay_and_nothing_else():
    vit = timm.create_model(
        "vit_tiny_patch16_224", img_size=16, patch_size=8, embed_dim=8, depth=1, num_heads=1, reg_tokens=2
    )
    decayed, free = names(vit)
    assert decayed | free == {name for name, _ in vit.named_parameters()}
    assert not decayed & free
    assert {"cls_token", "reg_token", "pos_embed", "norm.weight", "blocks.0.attn.qkv.bias"} <= free
    assert all(name.endswith("weight") and "norm" not in name for name in decayed)
    assert {"patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"} <= decayed


def test_a_cnns_kernels_decay_and_its_norms_do_not():
    decayed, free = names(timm.create_model("resnet18"))
    assert "layer1.0.conv1.weight" in decayed
    assert {"bn1.weight", "bn1.bias", "fc.bias"} <= free


def test_bias_tables_and_prototypes_do_not_decay():
    beit = timm.create_model("beit_base_patch16_224", img_size=32, embed_dim=8, depth=1, num_heads=1)
    assert "blocks.0.attn.relative_position_bias_table" in names(beit)[1]
    decayed, free = names(PrototypeHead(4, [3], prototypes=5))
    assert (decayed, free) == ({"layers.0.weight"}, {"layers.0.bias", "prototypes"})


def test_frozen_parameters_are_left_out():
    module = torch.nn.Linear(2, 2)
    module.weight.requires_grad_(False)
    assert names(module) == [set(), {"bias"}]


def test_only_the_first_group_decays():
    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(parameter_groups(module), lr=0.1, weight_decay=0.5)
    before = module.bias.detach().clone(), module.weight.detach().clone()
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.equal(module.bias, before[0])
    torch.testing.assert_close(module.weight, before[1] * 0.95)
