"""Operations by command."""

from skerry.engine.operation_metrics import COMMANDS_MAX, OTHER, OperationMetrics


def test_operations_are_counted_and_timed_by_command() -> None:
    metrics = OperationMetrics()
    metrics.observe("find", 0.0001)
    metrics.observe("find", 99.0)
    metrics.failed("find")
    metrics.observe("insert", 0.2)
    found = metrics.snapshot()
    assert list(found) == ["find", "insert"]
    assert (found["find"].count, found["find"].failed, found["find"].seconds) == (2, 1, 99.0001)
    assert (found["find"].buckets[0], found["find"].buckets[-1]) == (1, 1)


def test_names_that_clients_make_up_do_not_fill_the_memory() -> None:
    metrics = OperationMetrics()
    for number in range(COMMANDS_MAX + 50):
        metrics.observe(f"made-up-{number}", 0.0)
    found = metrics.snapshot()
    assert len(found) == COMMANDS_MAX + 1
    assert found[OTHER].count == 50
