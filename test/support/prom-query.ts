import { parser } from '@prometheus-io/lezer-promql';

/** A label that an expression matches, and what with. */
export interface LabelMatch {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** A metric that an expression reads. */
export interface MetricUse {
  readonly name: string;
  readonly matches: readonly LabelMatch[];
}

/** What an expression of PromQL speaks of. */
export interface PromQuery {
  readonly metrics: readonly MetricUse[];
  /** Labels by which it groups, or joins. */
  readonly labels: readonly string[];
}

/** Reads an expression; throws where it is none. */
export function parsePromQuery(expression: string): PromQuery {
  const metrics: { name: string; matches: { label: string; operator: string; value: string }[] }[] = [];
  const labels: string[] = [];
  let matching = false;
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to }) => {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${String(from)}: ${expression}`);
      const metric = metrics.at(-1);
      if (name === 'VectorSelector') metrics.push({ name: '', matches: [] });
      else if (name === 'Identifier' && metric !== undefined) metric.name = text;
      else if (name === 'LabelMatchers') matching = true;
      else if (name === 'LabelName' && !matching) labels.push(text);
      else if (name === 'LabelName') metric?.matches.push({ label: text, operator: '', value: '' });
      const match = metric?.matches.at(-1);
      if (!matching || match === undefined) return;
      if (name === 'MatchOp') match.operator = text;
      if (name === 'StringLiteral') match.value = text.slice(1, -1);
    },
    leave: ({ name }) => {
      if (name === 'LabelMatchers') matching = false;
    },
  });
  return { metrics, labels };
}
