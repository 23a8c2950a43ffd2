"""One link, running: its threads, its states, and when each part starts and ends.

One thread connects, pulls and compares, another pushes; while many documents wait, further ones push, too. They meet in the
link's lock. Whatever fails on the way to the hub is waited out, with growing pauses; nothing captured is ever dropped.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from pymongo.errors import PyMongoError

from skerry.config.sync_config import SyncConfig
from skerry.engine.engine import Engine
from skerry.errors import ShutdownError
from skerry.storage import WriteView
from skerry.sync import link_log, link_switch, outbox
from skerry.sync.backlog_gauge import count_backlog
from skerry.sync.batch_fence import BatchUnsettledError, HubLostError
from skerry.sync.hub import HubUnfitError, failure_of
from skerry.sync.lease import Lease
from skerry.sync.link import Link
from skerry.sync.missing_rights import is_denied, with_privilege
from skerry.sync.protocol.backoff import Backoff
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.sync.pull_worker import PullWorker
from skerry.sync.push_worker import PushWorker
from skerry.sync.selection import Selection
from skerry.sync.selection_override import SelectionOverride
from skerry.sync.sync_health import LinkState, LinkStatus
from skerry.sync.verify import Difference, verify
from skerry.values.namespace import Namespace

LOG: Final = logging.getLogger("skerry.sync")

POLL_SECONDS: Final = 0.25  # how soon writes of other processes on the directory are noticed
STANDBY_SECONDS: Final = 2.0
STOP_SECONDS: Final = 2.0
FLUSH_POLL_SECONDS: Final = 0.02


class Replicator:
    """Keeps an engine in step with a hub. `start` and `stop` once each; all methods may be called from any thread."""

    def __init__(self, engine: Engine, config: SyncConfig) -> None:
        """Nothing is captured or sent before `start`. Raises `ConfigurationError` for a connection string pymongo refuses."""
        self.link = Link(engine, config)
        self._outbox = outbox.attach(engine)
        self._push = PushWorker(self.link)
        self._pull = PullWorker(self.link, self._push)
        self._lease = Lease(self.link)
        self._state = LinkState.STOPPED
        self._error: str | None = None
        self._stopping = threading.Event()
        self._running = threading.Event()  # not paused
        self._connected = threading.Event()
        self._dirty = threading.Event()
        self._backlog = threading.Event()  # more waits than one thread should push alone
        self._reselected = threading.Event()  # the stream is to be opened anew, for other rules
        self._threads: list[threading.Thread] = []
        self._flushes = 0

    def start(self) -> None:
        """Capture local writes from now on, and begin to connect, unless an operator has paused or stopped the link.

        Returns at once, with or without a hub.
        """
        self.link.register()
        switched = self.link.read(lambda view: link_switch.load(view, self.link.name))
        if switched is not None and switched.state == LinkState.STOPPED:
            return
        self._outbox.subscribe(self._dirty.set)
        self.link.on_dirty = self._dirty.set
        if switched is None:
            self._running.set()
        self._state = LinkState.CONNECTING
        work = {"pull": self._pull_loop, "push": self._push_loop}
        work |= {f"push{number}": self._push_backlog_loop for number in range(1, self.link.config.batches_in_flight)}
        for name, loop in work.items():
            thread = threading.Thread(target=loop, name=f"skerry-{name}-{self.link.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the threads between two transactions and close the connections. Capturing goes on. Idempotent."""
        self._stopping.set()
        self._dirty.set()
        self._backlog.set()
        self._running.set()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.link.push_sessions.close()
        self.link.hub.close()  # ends a wait for a hub that does not answer; a batch cut off here is settled at the next start
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._outbox.unsubscribe(self._dirty.set)
        if self._state is not LinkState.STOPPED:
            self._lease.release()
            self._state = LinkState.STOPPED

    def pause(self) -> None:
        """Send and take nothing until `resume`; local writes go on being captured."""
        self._running.clear()

    def resume(self) -> None:
        """Go on after `pause`, or try again at once after a refusal."""
        self._running.set()
        self._dirty.set()

    def full_sync(self) -> None:
        """Compare every collection on both sides and repair what differs; `wait_until_in_step` waits for it."""
        self._pull.request_full_sync()

    @property
    def is_full_sync_wanted(self) -> bool:
        """Whether a comparison was asked for and has not begun."""
        return self._pull.is_full_sync_wanted

    def override_selection(self, override: SelectionOverride) -> None:
        """Let other rules stand in front of the configured ones: capture by them at once, and open the stream anew.

        Raises `ConfigurationError` for patterns that cannot be combined; then nothing has changed.
        """
        link = self.link
        Selection(override.applied_to(link.config.rules)).check_filters()
        with link.lock:
            link.write(lambda view: override.save(view, link.name), durable=True)
            link.register()
        self._reselected.set()

    def retry_dead_letters(self) -> None:
        """Try soon what could not be applied here, and what the hub refuses."""
        link = self.link
        link.write(link.shadows.make_refused_due)
        self._pull.request_dead_letter_retry()
        self._dirty.set()

    def retry_dead_letter(self, id: int) -> None:
        """Try soon one change of the hub that could not be applied here."""
        self._pull.request_dead_letter_retry(id)

    def namespaces(self) -> list[Namespace]:
        """Return the collections of both sides that travel. Raises pymongo's errors."""
        return self._pull.namespaces()

    def verify(self) -> Iterator[Difference]:
        """Compare both sides now and iterate over what differs, changing nothing. Raises pymongo's errors."""
        for namespace in self.namespaces():
            yield from verify(self.link, namespace)

    def thaw(self, namespace: Namespace) -> None:
        """Let a frozen collection travel again, beginning with a comparison: what the hub dropped is deleted here then."""

        def job(view: WriteView) -> None:
            self.link.thaw(view, namespace)

        with self.link.lock:
            self.link.write(job, durable=True)
        self.full_sync()

    def status(self) -> LinkStatus:
        """Return the link's state and what waits."""
        link = self.link
        state = self._state
        if state not in (LinkState.STOPPED, LinkState.REFUSED) and not self._running.is_set():
            state = LinkState.PAUSED
        with link.storage.read() as view:
            counts = link.shadows.counts(view)
            limits = link.limits
            fullness = 0.0 if limits.are_none else round(limits.fullness(count_backlog(view, link.shadows)), 3)
            conflicts, dead = link.conflicts.count(view), link.dead_letters.count(view)
            switched = link_switch.load(view, link.name)
        number = {each: counts.get(each, (0, 0))[0] for each in State}
        oldest = counts.get(State.DIRTY)
        heard, headroom = self._pull.heard_at, self._pull.headroom
        return LinkStatus(
            link=link.name,
            state=state,
            error=self._error,
            dirty=number[State.DIRTY],
            in_flight=number[State.INFLIGHT],
            awaiting_echo=number[State.AWAIT],
            quarantined=number[State.QUARANTINED],
            conflicts=conflicts,
            dead_letters=dead,
            oldest_dirty_ms=None if oldest is None else max(0, int(time.time() * 1000) - milliseconds_of(oldest[1])),
            stream_age_ms=None if heard is None else int((time.monotonic() - heard) * 1000),
            copying=tuple(self._pull.walk.record.pending),
            frozen=dict(link.selection.frozen),
            dirty_fullness=fullness,
            untracked=dict(link.selection.untracked),
            tier=None if link.hub.facts is None else link.hub.facts.tier.value,
            history_headroom_seconds=None if headroom is None else headroom.seconds,
            history_is_short=headroom is not None
            and headroom.is_low(patience_seconds=2 * link.config.heartbeat_ms // 1000),
            counters=link.metrics.snapshot(),
            switched=switched,
        )

    def wait_until_in_step(self, timeout: float) -> bool:
        """Return true once everything written on either side before the call is on both; false after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._pull.is_full_sync_wanted or not self.status().is_in_step:
                time.sleep(FLUSH_POLL_SECONDS)
                continue
            if self._flush(deadline) and self.status().is_in_step:
                return True
        return False

    def _flush(self, deadline: float) -> bool:
        self._flushes = number = max(self._flushes + 1, int(time.time() * 1000))
        try:
            self._pull.flush(number)
        except PyMongoError:
            time.sleep(FLUSH_POLL_SECONDS)
            return False
        while self._pull.flushed < number:
            if time.monotonic() > deadline or self._stopping.is_set():
                return False
            time.sleep(FLUSH_POLL_SECONDS)
        return True

    def _pull_loop(self) -> None:
        backoff = self._backoff()
        while not self._stopping.is_set():
            if not self._may_run():
                continue
            try:
                self._set_state(LinkState.CONNECTING, self._error)
                self._reselected.clear()
                self._pull.connect()
                self._connected.set()
                self._log_connected()
                backoff.succeeded()
                while self._may_run() and not self._reselected.is_set():
                    self._pull.step()
                    is_copying = self._pull.walk.is_pending
                    self._set_state(LinkState.COPYING if is_copying else LinkState.STREAMING, None)
            except ShutdownError:
                return
            except Exception as error:
                self._failed(error)
                self._stopping.wait(backoff.next_delay_ms() / 1000)
            finally:
                self._connected.clear()
                self._pull.disconnect()

    def _log_connected(self) -> None:
        link = self.link
        assert link.hub.facts is not None
        link_log.connected(link.name, link.config.hub_uri, link.identity.hub, link.hub.facts)

    def _push_loop(self) -> None:
        def work() -> None:
            self._dirty.clear()
            if not self._push.has_work() or not self._push_batch():
                self._dirty.wait(POLL_SECONDS)
            elif self._push.has_work():
                self._backlog.set()

        self._repeat(work)

    def _push_backlog_loop(self) -> None:
        def work() -> None:
            self._backlog.wait()
            if not self._stopping.is_set() and not self._push_batch():
                self._backlog.clear()

        self._repeat(work)

    def _repeat(self, work: Callable[[], None]) -> None:
        """Do a piece of pushing again and again while the link is connected, with pauses after failures."""
        backoff = self._backoff()
        while not self._stopping.is_set():
            if not self._connected.wait(POLL_SECONDS) or not self._running.is_set():
                continue
            try:
                work()
                backoff.succeeded()
            except ShutdownError:
                return
            except Exception as error:
                self._failed(error)
                self._stopping.wait(backoff.next_delay_ms() / 1000)

    def _push_batch(self) -> int:
        started = time.perf_counter()
        taken = self._push.push()
        if taken:
            self.link.metrics.observe("push", time.perf_counter() - started)
        return taken

    def _may_run(self) -> bool:
        """Whether to go on now; waits a moment while paused, or while another process has the link."""
        if self._stopping.is_set():
            return False
        if not self._running.is_set():
            self._connected.clear()
            self._running.wait(POLL_SECONDS)
            return False
        if not self._lease.take():
            self._set_state(LinkState.STANDBY, None)
            self._stopping.wait(STANDBY_SECONDS)
            return False
        return True

    def _failed(self, error: Exception) -> None:
        """Report a failure; what is known to pass is no more than a state."""
        facts = failure_of(error).message if isinstance(error, PyMongoError) else str(error)
        denied = is_denied(error) or (isinstance(error, HubLostError) and error.denied)
        message = f"{type(error).__name__}: {with_privilege(facts) if denied else facts}"
        refused = denied or isinstance(error, HubUnfitError)
        if not isinstance(error, PyMongoError | HubLostError | BatchUnsettledError | HubUnfitError):
            LOG.exception("link %s failed", self.link.name, extra={"link": self.link.name})
        elif message != self._error:
            LOG.warning("link %s: %s", self.link.name, message, extra={"link": self.link.name})
        self.link.metrics.add("link_failures")
        self._set_state(LinkState.REFUSED if refused else LinkState.OFFLINE, message)

    def _set_state(self, state: LinkState, error: str | None) -> None:
        self._state, self._error = state, error

    def _backoff(self) -> Backoff:
        config = self.link.config
        uniform: Callable[[], float] = random.random
        return Backoff(config.backoff_ms_min, config.backoff_ms_max, uniform)
