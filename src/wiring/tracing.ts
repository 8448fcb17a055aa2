import process from 'node:process';
import type { Closers } from '../core/closers.js';
import type { Config } from '../core/config/config.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Counters } from '../core/metrics/counters.js';
import { NO_TRACING, type Tracing } from '../core/tracing.js';
import { within } from '../core/within.js';

/** How long the last spans may take to be sent when the process stops, ms. */
const FLUSH_MS = 2000;

/** What {@link openTracing} works with. */
export interface TracingParts {
  readonly config: Pick<Config, 'otlpEndpoint' | 'otlpTracesEndpoint'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly closers: Closers;
}

/**
 * Where traces go: to the collector the configuration names. OpenTelemetry is loaded only where it names one, and
 * `OTEL_SDK_DISABLED` is not set.
 */
export async function openTracing({ config, closers, ...parts }: TracingParts): Promise<Tracing> {
  const url = tracesUrl(config);
  if (url === undefined || process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return NO_TRACING;
  const { OpenTelemetry } = await import('./open-telemetry.js');
  const tracing = new OpenTelemetry({ url, ...parts });
  closers.add('traces', () => within(parts.clock, FLUSH_MS, tracing.close()));
  return tracing;
}

/** Source: OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP". */
function tracesUrl({ otlpEndpoint, otlpTracesEndpoint }: TracingParts['config']): string | undefined {
  if (otlpTracesEndpoint !== undefined) return otlpTracesEndpoint;
  return otlpEndpoint === undefined ? undefined : `${otlpEndpoint.replace(/\/$/, '')}/v1/traces`;
}
