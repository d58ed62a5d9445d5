"""What counts as the same: rounding does, a wrong ninth digit does not; a true 0 is measured by the whole."""

import pytest
import torch

ONE = torch.ones(4, dtype=torch.float64)


def test_rounding_is_the_same(assert_same):
    assert_same({"a": ONE + 1e-12, "zero": ONE * 1e-15}, {"a": ONE, "zero": ONE * 0})


@pytest.mark.parametrize(
    "found", [{"a": ONE + 1e-8, "b": ONE}, {"a": ONE, "b": ONE / 2}, {"b": ONE, "a": ONE}, {"a": ONE}]
)
def test_another_number_or_name_is_not(assert_same, found):
    with pytest.raises(AssertionError):
        assert_same(found, {"a": ONE, "b": ONE})


def test_a_small_tensor_has_its_own_measure(assert_same):
    """A thousandth of the whole is the least that is measured against."""
    with pytest.raises(AssertionError):
        assert_same({"a": ONE, "small": ONE * 1e-3 + 1e-11}, {"a": ONE, "small": ONE * 1e-3})
    with pytest.raises(AssertionError):
        assert_same({"a": ONE, "zero": ONE * 1e-11}, {"a": ONE, "zero": ONE * 0})
