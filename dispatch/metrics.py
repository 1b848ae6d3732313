"""Figures of a process for Prometheus: counters and gauges, no personal data; each process has a registry of its own."""

import os
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every figure of one process; labels in the order of `new_metrics`."""

    registry: CollectorRegistry
    requests: Counter
    latency: Histogram
    reports: Counter
    batch_size: Histogram
    queue_depth: Gauge
    commit_seconds: Histogram
    deadlines_fired: Counter
    deadlines_late_seconds: Gauge
    deadline_failures: Counter
    outbox_waiting: Gauge
    live_clients: Gauge
    notices_sent: Counter
    sensor_events: Counter
    quarantine_open: Gauge
    log_redactions: Counter
    unusual_looks: Counter


def new_metrics(registry: CollectorRegistry | None = None) -> Metrics:
    """Make the figures in `registry`, or in one of their own."""
    into = registry or CollectorRegistry()
    process = Gauge("dispatch_process_info", "The process that answered this scrape.", ["pid"], registry=into)
    process.labels(str(os.getpid())).set(1)

    def counter(name: str, text: str, *labels: str) -> Counter:
        return Counter(f"dispatch_{name}", text, labels, registry=into)

    def gauge(name: str, text: str) -> Gauge:
        return Gauge(f"dispatch_{name}", text, registry=into)

    def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"dispatch_{name}", text, labels, buckets=buckets, registry=into)

    return Metrics(
        registry=into,
        requests=counter("requests", "Requests answered.", "method", "route", "status"),
        latency=histogram("request_seconds", "Time to answer a request.", _REQUEST_S, "method", "route"),
        reports=counter("reports", "Reports taken in.", "outcome"),
        batch_size=histogram("intake_batch_size", "Reports committed together.", _BATCH),
        queue_depth=gauge("intake_queue_depth", "Reports prepared and waiting for a commit."),
        commit_seconds=histogram("intake_commit_seconds", "Time of one intake transaction.", _REQUEST_S),
        deadlines_fired=counter("deadlines_fired", "Deadline steps carried out.", "clock", "level"),
        deadlines_late_seconds=gauge("deadlines_late_seconds", "How long the oldest due step has waited."),
        deadline_failures=counter("deadline_failures", "Deadline steps whose effect failed."),
        outbox_waiting=gauge("outbox_waiting", "Committed messages not yet relayed."),
        live_clients=gauge("live_clients", "Open live connections."),
        notices_sent=counter("notices_sent", "Notices handed to a medium.", "medium", "result"),
        sensor_events=counter("sensor_events", "Sensor events by what became of them.", "type", "result"),
        quarantine_open=gauge("quarantine_open", "Quarantined reports that wait for a person."),
        log_redactions=counter("log_redactions", "Personal numbers blotted out of log lines; each is a fault."),
        unusual_looks=counter(
            "unusual_looks", "Looks at personal data beyond what the city expects of one person in an hour.", "kind"
        ),
    )
