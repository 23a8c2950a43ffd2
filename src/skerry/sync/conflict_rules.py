"""Which rules resolve the conflicts of a namespace: the link's policies, with what its conflict rules say in front of them.

Resolvers are functions of the application, named `module:function` and imported when the link is made.
"""

from importlib import import_module
from typing import Any, Final

from skerry.config.sync_config import ConflictPolicy, ConflictRule, SyncConfig
from skerry.errors import ConfigurationError
from skerry.storage import WriteView
from skerry.sync import link_records
from skerry.sync.protocol.conflict_resolution import Resolver, Rules
from skerry.sync.selection import fits
from skerry.values.namespace import Namespace

RECORD: Final = "conflict_rules"


class ConflictRules:
    """The rules of one link. Raises `ConfigurationError` for a resolver that cannot be imported."""

    def __init__(self, config: SyncConfig) -> None:
        self._config = config
        self._resolvers = {name: _imported(name) for rule in config.conflict_rules if (name := rule.resolver)}
        self._known: dict[Namespace, Rules] = {}

    def of(self, namespace: Namespace) -> Rules:
        """Return the rules of a namespace."""
        known = self._known.get(namespace)
        if known is None:
            known = self._known[namespace] = self._decide(namespace)
        return known

    def save(self, view: WriteView, link: str) -> None:
        """Store the rules in effect with the link, under a version that grows when they change."""
        config = self._config
        rules: dict[str, Any] = {
            "conflict_policy": config.conflict_policy.value,
            "delete_policy": config.delete_policy.value,
            "granularity": config.granularity.value,
            "rules": [rule.to_text() for rule in config.conflict_rules],
        }
        stored = link_records.load(view, link, RECORD) or {"version": 0}
        version = stored.pop("version")
        if stored != rules:
            link_records.save(view, link, RECORD, {**rules, "version": version + 1})

    def _decide(self, namespace: Namespace) -> Rules:
        config = self._config
        rules = [rule for rule in config.conflict_rules if fits(rule.pattern, namespace)]
        whole = [rule for rule in rules if not rule.path]
        decided = next((rule for rule in whole if rule.policy or rule.resolver), None)
        paths: dict[str, ConflictPolicy | Resolver] = {}
        for rule in rules:
            if rule.path:
                paths.setdefault(rule.path, self._resolvers[rule.resolver] if rule.resolver else _policy(rule))
        return Rules(
            conflict=(decided and decided.policy) or config.conflict_policy,
            delete=next((rule.delete for rule in whole if rule.delete), config.delete_policy),
            granularity=next((rule.granularity for rule in whole if rule.granularity), config.granularity),
            resolver=self._resolvers[decided.resolver] if decided and decided.resolver else None,
            paths=paths,
            namespace=str(namespace),
        )


def _policy(rule: ConflictRule) -> ConflictPolicy:
    assert rule.policy is not None
    return rule.policy


def _imported(name: str) -> Resolver:
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError("sync.conflict_rules", name, f"module:function ({error})") from error
    if not callable(found):
        raise ConfigurationError("sync.conflict_rules", name, "a function")
    resolver: Resolver = found
    return resolver
