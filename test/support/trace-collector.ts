import { once } from 'node:events';
import http from 'node:http';

/** A span as a collector was sent it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Why it failed; undefined: it did not. */
  readonly failed: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `service.name` of what sent it. */
  readonly service: unknown;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A collector of OpenTelemetry: takes OTLP over HTTP in JSON, and keeps all spans. */
export class TraceCollector {
  readonly spans: CollectedSpan[] = [];
  readonly #server: http.Server;

  private constructor() {
    this.#server = http.createServer((req, res) => {
      void this.#take(req, res);
    });
  }

  /** Listens on a free port. */
  static async listening(): Promise<TraceCollector> {
    const collector = new TraceCollector();
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    const { port } = this.#server.address() as { port: number };
    return `http://127.0.0.1:${String(port)}`;
  }

  /** The spans of a trace, by their names; of several with one name the last. */
  trace(traceId: string): Readonly<Record<string, CollectedSpan | undefined>> {
    const spans = this.spans.filter((span) => span.traceId === traceId);
    return Object.fromEntries(spans.map((span) => [span.name, span]));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    let text = '';
    for await (const part of req.setEncoding('utf8')) text += String(part);
    res.setHeader('Content-Type', 'application/json');
    res.end('{}');
    if (req.url !== '/v1/traces') return;
    const { resourceSpans } = JSON.parse(text) as OtlpTraces;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = valuesOf(resource.attributes)['service.name'];
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(toSpan(span, service));
    }
  }
}

function toSpan(span: OtlpSpan, service: unknown): CollectedSpan {
  const { traceId, spanId, parentSpanId, name, attributes, status } = span;
  return {
    traceId,
    spanId,
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    name,
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    failed: status.code === 2 ? status.message : undefined,
    attributes: valuesOf(attributes),
    service,
  };
}

function valuesOf(attributes: readonly OtlpAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
