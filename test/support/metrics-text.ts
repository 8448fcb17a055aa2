/** A metric as its text tells it: the values that each of its labels has somewhere. */
export type MetricLabels = ReadonlyMap<string, ReadonlySet<string>>;

const SAMPLE = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /([a-z_]\w*)="((?:[^"\\]|\\.)*)"/gi;

/** The samples of Prometheus' text format, by their names; throws where a line is none. */
export function metricsIn(text: string): ReadonlyMap<string, MetricLabels> {
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || (Number.isNaN(Number(value)) && value !== 'NaN' && value !== '+Inf')) {
      throw new Error(`no sample: ${line}`);
    }
    const known = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, known);
    for (const [, label = '', its = ''] of labels.matchAll(LABEL)) {
      known.set(label, (known.get(label) ?? new Set<string>()).add(its));
    }
  }
  return metrics;
}

/** The value of a sample, by its name and labels as they are written; undefined where there is none. */
export function sampleIn(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length));
}
