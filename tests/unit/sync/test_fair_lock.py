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
