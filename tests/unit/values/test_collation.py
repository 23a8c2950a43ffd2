import pytest

from skerry.errors import BadValueError, NotImplementedYetError
from skerry.values.collation import check_collation


def test_no_collation_and_the_simple_one_pass() -> None:
    check_collation(None)
    check_collation({})
    check_collation({"locale": "simple"})


def test_another_locale_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedYetError, match="'de'"):
        check_collation({"locale": "de", "strength": 2})


def test_a_collation_needs_a_locale() -> None:
    with pytest.raises(BadValueError):
        check_collation({"strength": 1})
