import copy
import pickle

import pytest

from skerry.values.missing import MISSING


def test_missing_has_no_truth() -> None:
    with pytest.raises(TypeError):
        bool(MISSING)


def test_copies_of_missing_are_missing() -> None:
    assert copy.copy(MISSING) is MISSING
    assert copy.deepcopy([MISSING])[0] is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert repr(MISSING) == "MISSING"
