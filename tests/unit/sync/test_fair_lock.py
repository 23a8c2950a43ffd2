import threading
import time

from skerry.sync.fair_lock import FairLock


def test_the_lock_goes_to_whoever_has_waited_longest() -> None:
    lock, order = FairLock(), []

    def take(name: str) -> None:
        with lock:
            order.append(name)

    threads = [threading.Thread(target=take, args=(name,)) for name in "abc"]
    with lock:
        for thread in threads:
            thread.start()
            time.sleep(0.01)
    with lock:
        order.append("again")
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c", "again"]


def test_its_owner_may_take_it_again() -> None:
    lock = FairLock()
    with lock, lock:
        pass
    with lock:
        pass


def test_those_who_share_it_have_it_together() -> None:
    lock, met = FairLock(), threading.Barrier(2, timeout=10)

    def share() -> None:
        with lock.shared():
            met.wait()

    other = threading.Thread(target=share)
    other.start()
    share()
    other.join()
    assert not met.broken


def test_who_wants_it_alone_waits_for_those_who_share_it_and_comes_before_later_ones() -> None:
    lock, order = FairLock(), []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with lock.shared():
            entered.set()
            leave.wait(10)
            order.append("first")

    def alone() -> None:
        with lock:
            order.append("alone")

    def later() -> None:
        with lock.shared():
            order.append("later")

    threads = [threading.Thread(target=work) for work in (first, alone, later)]
    threads[0].start()
    assert entered.wait(10)
    for count, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(lock._waiting) < count:
            time.sleep(0.001)
    leave.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "alone", "later"]
