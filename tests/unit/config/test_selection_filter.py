import pytest

from skerry.config import Direction, SelectionRule, load_settings, parse_rule
from skerry.errors import ConfigurationError


def test_a_rule_may_hold_a_query() -> None:
    rule = parse_rule('shop.orders=both {"store": 7, "a=b": [1, 2]}')
    assert rule == SelectionRule("shop.orders", Direction.BOTH, '{"store": 7, "a=b": [1, 2]}')
    assert rule.query() == {"store": 7, "a=b": [1, 2]}
    assert SelectionRule.from_list(rule.to_list()) == rule
    assert parse_rule("shop.*=pull").to_list() == ["shop.*", "pull"]


@pytest.mark.parametrize("text", ["a.b=both {", 'a.b=both {"x"}', "a.b=both {1}", '=both {"a": 1}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_rule(text)


def test_queries_come_from_the_environment_too() -> None:
    environment = {
        "SKERRY_SYNC_HUB_URI": "mongodb://hub",
        "SKERRY_SYNC_RULES": 'shop.orders=both {"store": {"$in": [1, 2]}, "x": 1},logs.*=push',
    }
    sync = load_settings(environment=environment).sync
    assert sync is not None
    assert [rule.pattern for rule in sync.rules] == ["shop.orders", "logs.*"]
    assert sync.rules[0].query() == {"store": {"$in": [1, 2]}, "x": 1}
