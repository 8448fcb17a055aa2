import type { Command, Outcome } from '../command.js';
import type { Span, Tracing } from '../tracing.js';

/** A command begins to be executed. */
export function beginExecution(tracing: Tracing, { id, action, traceparent }: Command): Span {
  const attributes = { 'flipgate.command.id': id, 'flipgate.command.action': action };
  return tracing.begin('execute', { kind: 'consumer', parent: traceparent, attributes });
}

/** It was executed. */
export function endExecution(span: Span, outcome: Outcome): void {
  span.end({ failed: outcome.status === 'failed' ? outcome.error.code : undefined });
}
