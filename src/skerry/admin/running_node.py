"""What the admin API needs of the node it belongs to."""

from typing import Protocol

from skerry.admin.watch import SyncWatch
from skerry.config import EffectiveSetting
from skerry.engine.engine import Engine
from skerry.server.server_metrics import ServerCounts
from skerry.sync.link_removal import Unpushed
from skerry.sync.replicator import Replicator


class RunningNode(Protocol):
    """A node between `start` and `stop`; any thread may ask it."""

    replicator: Replicator | None
    """The link, also while it is stopped; None for a node without a hub."""
    sync_fault: str | None
    """The wrong sync setting that has turned the link off."""
    watch: SyncWatch | None
    """Beside every link there is a watch."""

    @property
    def engine(self) -> Engine: ...

    def start_sync(self) -> bool:
        """Start the link anew; false when it runs. Raises LookupError without a hub."""
        ...

    def stop_sync(self, by: str) -> bool:
        """Stop the link until it is started, as `by` wants; false when it does not run. Raises LookupError without a hub."""
        ...

    def reset_sync(self, *, force: bool = False) -> Unpushed:
        """Have the link forget its hub and begin anew; return what had not been pushed. Raises LookupError without a hub, and
        what `link_removal.begin_anew` raises."""
        ...

    def settings(self) -> list[EffectiveSetting]:
        """Return the settings in effect, without secrets."""
        ...

    def connections(self) -> ServerCounts:
        """Return the numbers of all doors together."""
        ...
