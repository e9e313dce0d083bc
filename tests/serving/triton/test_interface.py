from __future__ import annotations

from recsys_serving.triton.interface import (
    DTYPES,
    RECOMMEND_INPUTS,
    RECOMMEND_OUTPUTS,
    SIMILAR_INPUTS,
    SIMILAR_OUTPUTS,
    SIMILAR_SPECS,
    TensorSpec,
    column_inputs,
)

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind


def test_a_column_of_users_is_an_input_of_its_kind():
    columns = (
        EncodedColumn("age", FeatureKind.NUMBER, None, None),
        EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn",)),
        EncodedColumn("hobbies", FeatureKind.MULTI_VALUED, "|", ("chess",)),
    )
    assert column_inputs(columns) == {
        "user.age": TensorSpec("FP32", 1, optional=True),
        "user.city": TensorSpec("STRING", 1, optional=True),
        "user.hobbies": TensorSpec("STRING", -1, optional=True),
    }


def test_without_columns_of_users_there_are_no_inputs_for_them():
    assert column_inputs(()) == {}


def test_columns_of_users_never_have_the_name_of_another_input():
    columns = tuple(EncodedColumn(name, FeatureKind.NUMBER, None, None) for name in RECOMMEND_INPUTS)
    assert not column_inputs(columns).keys() & (RECOMMEND_INPUTS | SIMILAR_SPECS).keys()


def test_every_input_may_be_left_out_and_no_output():
    assert all(spec.optional for spec in (RECOMMEND_INPUTS | SIMILAR_SPECS).values())
    assert not any(spec.optional for spec in (RECOMMEND_OUTPUTS | SIMILAR_OUTPUTS).values())


def test_numpy_has_every_type_of_a_tensor():
    specs = RECOMMEND_INPUTS | SIMILAR_SPECS | RECOMMEND_OUTPUTS | SIMILAR_OUTPUTS
    assert {spec.type for spec in specs.values()} <= DTYPES.keys()


def test_what_similar_items_are_asked_with_goes_to_inputs_that_are_there():
    assert SIMILAR_INPUTS.keys() <= (RECOMMEND_INPUTS | SIMILAR_SPECS).keys()
    assert SIMILAR_SPECS.keys() <= SIMILAR_INPUTS.keys()
    assert not RECOMMEND_OUTPUTS.keys() & SIMILAR_OUTPUTS.keys()  # one model has both
