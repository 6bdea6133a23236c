"""What a scrape finds in a process that has just begun."""

import pytest

from chassis import metrics


def exposed() -> list[str]:
    return metrics.exposition().decode().splitlines()


def test_known_values_of_a_counter_stand_at_none_before_their_first_event() -> None:
    counted = metrics.counter("test_known_total", "For a test.", ["event"], known=["seen", "lost"])

    counted.labels("seen").inc()

    assert 'sendonce_test_known_total{event="seen"} 1.0' in exposed()
    assert 'sendonce_test_known_total{event="lost"} 0.0' in exposed()


def test_services_that_share_a_process_share_a_metric() -> None:
    first = metrics.gauge("test_shared", "For a test.")

    assert metrics.gauge("test_shared", "For a test.") is first
    with pytest.raises(TypeError, match="not a counter"):
        metrics.counter("test_shared", "For a test.")


def test_the_process_tells_of_itself_and_no_series_of_its_birth() -> None:
    metrics.counter("test_born_total", "For a test.").inc()

    names = {line.partition("{")[0].partition(" ")[0] for line in exposed()}

    assert "process_start_time_seconds" in names
    assert not [name for name in names if name.endswith("_created")]
