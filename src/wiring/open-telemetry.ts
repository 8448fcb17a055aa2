import {
  type Context,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Clock } from '../core/clock.js';
import { LineAllowance } from '../core/line-allowance.js';
import type { Logger } from '../core/logger.js';
import type { Counters } from '../core/metrics/counters.js';
import { NO_SPAN, type Span, type SpanBeginning, type SpanEnd, type Tracing } from '../core/tracing.js';
import { runningVersion } from './version.js';

/** What an {@link OpenTelemetry} works with. */
export interface OpenTelemetryParts {
  /** Where spans are sent, as OTLP over HTTP, in JSON. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

const KINDS: Readonly<Record<SpanBeginning['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

/**
 * Traces by OpenTelemetry. How many are kept, how many wait to be sent, and all else is said by its standard variables
 * (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_SERVICE_NAME`, …), which its SDK reads itself.
 */
export class OpenTelemetry implements Tracing {
  readonly on = true;
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;

  constructor(parts: OpenTelemetryParts) {
    const version = runningVersion();
    const named = resourceFromAttributes({
      [ATTR_SERVICE_NAME]: 'flipgate',
      [ATTR_SERVICE_VERSION]: version,
    });
    this.#provider = new NodeTracerProvider({
      resource: defaultResource()
        .merge(named)
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(new WatchedExporter(parts))],
    });
    this.#tracer = this.#provider.getTracer('flipgate', version);
  }

  begin(name: string, { kind, parent, at, attributes }: SpanBeginning): Span {
    const context = contextOf(parent);
    if (context === undefined && kind !== 'server') return NO_SPAN;
    const options = {
      kind: KINDS[kind],
      ...(at === undefined ? {} : { startTime: at }),
      ...(attributes === undefined ? {} : { attributes }),
    };
    return new TracedSpan(this.#tracer.startSpan(name, options, context ?? ROOT_CONTEXT));
  }

  /** Sends what has not been sent. */
  close(): Promise<void> {
    return this.#provider.shutdown();
  }
}

class TracedSpan implements Span {
  readonly traceparent: string;
  readonly #span: SdkSpan;

  constructor(span: SdkSpan) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    this.#span = span;
  }

  end({ at, attributes, failed }: SpanEnd = {}): void {
    if (attributes !== undefined) this.#span.setAttributes(attributes);
    if (failed !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: failed });
    this.#span.end(at);
  }
}

/** Sends spans, and tells where that fails: a line a second, and a count of the spans that were lost. */
class WatchedExporter implements SpanExporter {
  readonly #exporter: OTLPTraceExporter;
  readonly #parts: OpenTelemetryParts;
  readonly #allowance: LineAllowance;

  constructor(parts: OpenTelemetryParts) {
    this.#parts = parts;
    this.#exporter = new OTLPTraceExporter({ url: parts.url });
    this.#allowance = new LineAllowance(parts.clock, 1, () => undefined);
  }

  export(spans: ReadableSpan[], done: Parameters<OTLPTraceExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      if (result.error !== undefined) this.#lost(spans.length, result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }

  #lost(spans: number, { message }: Error): void {
    const { logger, counters } = this.#parts;
    counters.add('spans_lost', 'all', spans);
    if (this.#allowance.take()) logger.warn('traces could not be sent', { spans, reason: message });
  }
}

const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** The context a `traceparent` names; undefined where it names none. Source: W3C Trace Context, section 3.2. */
function contextOf(parent: string | undefined): Context | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(parent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  };
  return trace.isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : undefined;
}
