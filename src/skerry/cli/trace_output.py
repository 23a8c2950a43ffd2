"""Where `skerry serve` sends its traces: to a collector, by OTLP over HTTP, as OpenTelemetry's own variables say.

`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin are read by OpenTelemetry itself.
"""

import os
from typing import TYPE_CHECKING

from skerry.errors import ConfigurationError
from skerry.tracing import start_tracing, stop_tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def start_traces() -> "TracerProvider":
    """Begin to send spans. Raises `ConfigurationError` when the packages for that are not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError("server.traces", "true", "false, or the packages of skerry[otel]") from error
    name = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "skerry"}
    provider = TracerProvider(resource=Resource.create(name))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    start_tracing(provider.get_tracer("skerry"))
    return provider


def end_traces(provider: "TracerProvider") -> None:
    """Send what is left, and nothing more."""
    stop_tracing()
    provider.shutdown()
