import pytest

from skerry.config import ConflictPolicy, ConflictRule, DeletePolicy, Granularity, load_settings, parse_conflict_rule
from skerry.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("shop.stock#total=counter", ConflictRule("shop.stock", "total", ConflictPolicy.COUNTER)),
        ("shop.*=remote_wins", ConflictRule("shop.*", policy=ConflictPolicy.REMOTE_WINS)),
        (
            "a.b=lww delete:update_wins granularity:document",
            ConflictRule("a.b", "", ConflictPolicy.LWW, None, DeletePolicy.UPDATE_WINS, Granularity.DOCUMENT),
        ),
        ("a.b#c.d=rules.shop:merge", ConflictRule("a.b", "c.d", resolver="rules.shop:merge")),
    ],
)
def test_a_rule_is_read_from_text_and_written_back(text: str, rule: ConflictRule) -> None:
    assert parse_conflict_rule(text) == rule
    assert rule.to_text() == text


@pytest.mark.parametrize(
    "text",
    ["shop.stock=counter", "shop=lww", "a.b", "a.b=", "a.b=best", "a.b#c=delete:lww", "a.b=lww m:f", "a.b=:f"],
)
def test_an_impossible_rule_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_conflict_rule(text)


def test_rules_come_from_the_environment() -> None:
    environment = {
        "SKERRY_SYNC_HUB_URI": "mongodb://hub",
        "SKERRY_SYNC_RULES": "shop.*=both",
        "SKERRY_SYNC_CONFLICT_RULES": "shop.stock#total=counter, shop.*=local_wins",
    }
    sync = load_settings(environment=environment).sync
    assert sync is not None
    assert [rule.to_text() for rule in sync.conflict_rules] == ["shop.stock#total=counter", "shop.*=local_wins"]
