import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { requestJson } from '../support/json-request.js';
import { killLaunched, type LaunchedGateway, launchGateway, ROOT } from '../support/launched-gateway.js';
import { type MetricLabels, metricsIn, sampleIn } from '../support/metrics-text.js';
import { testRedisUrl } from '../support/opened-logs.js';
import { parsePromQuery } from '../support/prom-query.js';
import { waitUntil } from '../support/wait-until.js';

const KEYS = { prometheus: 'only-for-prometheus', owner: 'may-do-everything' };

let gateway: LaunchedGateway;
/** What it tells once some of everything has happened. */
let text: string;
let metrics: ReadonlyMap<string, MetricLabels>;

const scrape = (key?: string) =>
  requestJson('GET', `${gateway.url}/metrics`, undefined, key === undefined ? {} : { 'X-API-Key': key });

beforeAll(async () => {
  gateway = await launchGateway({
    APP_PROFILE: 'HYBRID',
    REDIS_URL: testRedisUrl(),
    AUTH_MODE: 'token',
    API_KEYS: JSON.stringify([
      { id: 'prometheus', key: KEYS.prometheus, admin: ['metrics'] },
      { id: 'owner', key: KEYS.owner, subscribe: ['*'], publish: ['*'], command: ['*'], admin: ['*'] },
    ]),
  });
  const owner = { 'X-API-Key': KEYS.owner };
  const abort = new AbortController();
  const stream = await fetch(`${gateway.url}/api/events/stream`, { headers: owner, signal: abort.signal });
  await requestJson('POST', `${gateway.url}/api/events`, [{ type: 'load' }, { type: 'load' }], owner);
  await requestJson('POST', `${gateway.url}/api/control`, { action: 'host-monitor.stop' }, owner);
  await waitUntil(async () => {
    ({ text } = await scrape(KEYS.prometheus));
    return (
      // Two, and the command's outcome.
      sampleIn(text, 'flipgate_delivery_latency_seconds_count') === 3 &&
      sampleIn(text, 'flipgate_bridge_role{role="copying"}') === 1 &&
      sampleIn(text, 'flipgate_event_loop_lag_seconds{percentile="99"}') !== undefined
    );
  }, 'all figures');
  metrics = metricsIn(text);
  abort.abort();
  await stream.body?.cancel().catch(() => undefined);
});

afterAll(killLaunched);

describe('GET /metrics', () => {
  test('tells what happened, and how Redis is', () => {
    expect(sampleIn(text, 'flipgate_sessions{transport="sse"}')).toBe(1);
    expect(sampleIn(text, 'flipgate_events_written_total{transport="sse"}')).toBe(3);
    expect(sampleIn(text, 'flipgate_commands_total{status="succeeded"}')).toBe(1);
    const ended = '{action="host-monitor.stop",status="succeeded"}';
    expect(sampleIn(text, `flipgate_command_duration_seconds_count${ended}`)).toBe(1);
    expect(sampleIn(text, 'flipgate_log_ready')).toBe(1);
    expect(sampleIn(text, 'flipgate_cluster_nodes')).toBe(1);
    expect([...(metrics.get('flipgate_build_info')?.get('log') ?? [])]).toEqual(['redis']);
  });

  test('has no label whose values clients choose', () => {
    for (const [name, labels] of metrics) {
      for (const [label, values] of labels) {
        const most = label === 'le' ? 20 : 15;
        expect([name, label, values.size <= most]).toEqual([name, label, true]);
      }
    }
  });

  test('is for those who have the right', async () => {
    const { status, headers } = await scrape(KEYS.prometheus);
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect((await scrape()).status).toBe(401);
    expect((await scrape('some other key')).status).toBe(401);
    const other = await requestJson('GET', `${gateway.url}/api/admin/status`, undefined, {
      'X-API-Key': KEYS.prometheus,
    });
    expect(other.json).toMatchObject({ error: { code: 'forbidden' } });
  });
});

/** Labels that Prometheus itself puts to what it scrapes, and a metric that it makes. */
const SCRAPED = ['job', 'instance'];

/** What is wrong with an expression, by the metrics that there are. */
function faultsOf(expression: string): string[] {
  const { metrics: used, labels } = parsePromQuery(expression);
  const known = new Set(SCRAPED);
  const faults: string[] = [];
  for (const { name, matches } of used) {
    const its = name === 'up' ? new Map<string, ReadonlySet<string>>() : metrics.get(name);
    if (its === undefined) faults.push(`no metric ${name}`);
    for (const label of its?.keys() ?? []) known.add(label);
    for (const { label, operator, value } of matches) {
      if (SCRAPED.includes(label)) continue;
      const values = its?.get(label);
      for (const one of operator === '=~' ? value.split('|') : [value])
        if (values?.has(one) !== true) faults.push(`${name} never has ${label}="${one}"`);
    }
  }
  if (used.length === 0) faults.push('reads no metric');
  for (const label of labels) if (!known.has(label)) faults.push(`no label ${label}`);
  return faults.map((fault) => `${fault}: ${expression}`);
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const read = (file: string): string => readFileSync(path.join(ROOT, 'deploy', file), 'utf8');

/** Where alerts point to, until an operator has put in another place. */
const RUNBOOKS = 'https://runbooks.example/flipgate/operations.md';

describe('the alert rules', () => {
  const { groups } = parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  const runbooks = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');

  test('speak of metrics and labels that there are', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  test('say how bad it is, what happened, what to do, and where more is written', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^Flipgate[A-Za-z]+$/);
      expect(['critical', 'warning', 'info']).toContain(labels['severity']);
      const { summary = '', description = '', runbook_url } = annotations;
      expect(summary.length).toBeGreaterThan(20);
      expect(description.length).toBeGreaterThan(summary.length);
      expect(runbook_url).toBe(`${RUNBOOKS}#alert-${alert.toLowerCase()}`);
      expect(runbooks).toContain(`\n### Alert ${alert}\n`);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    // What the file itself says to replace.
    expect(read('prometheus/alerts.yml')).toContain(`sed -i 's|${RUNBOOKS}|`);
  });

  test('go on with those for Redis, for who takes them in', () => {
    const text = read('prometheus/alerts.yml').replace(/(?<=\n)#(?=  )(?!   sed)/g, '');
    const all = (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
    expect(all.slice(rules.length).map(({ alert }) => alert)).toEqual(['FlipgateRedisFull']);
    for (const { expr } of all) expect(() => parsePromQuery(expr)).not.toThrow();
  });

  test('are read by the example configuration, which scrapes what they know', () => {
    const config = parse(read('prometheus/prometheus.yml')) as {
      rule_files: string[];
      scrape_configs: { job_name: string; metrics_path?: string; authorization: object }[];
    };
    expect(config.rule_files).toEqual(['alerts.yml']);
    expect(config.scrape_configs).toEqual([
      expect.objectContaining({
        job_name: 'flipgate',
        authorization: { credentials_file: expect.any(String) },
      }),
    ]);
  });
});

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the dashboard', () => {
  const { panels, templating } = JSON.parse(read('grafana/flipgate.json')) as {
    panels: Panel[];
    templating: { list: { name: string; definition?: string }[] };
  };
  const targets = panels.flatMap((panel) => panel.targets ?? []);

  test('speaks of metrics and labels that there are', () => {
    expect(targets.length).toBeGreaterThan(40);
    const expressions = targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'));
    expect(expressions.flatMap(faultsOf)).toEqual([]);
  });

  test('shows the job and the nodes that were chosen, and no others', () => {
    const chosen = expect.arrayContaining([
      { label: 'job', operator: '=', value: '$job' },
      { label: 'instance', operator: '=~', value: '$instance' },
    ]);
    for (const { expr } of targets)
      for (const { matches } of parsePromQuery(expr.replaceAll('$__rate_interval', '5m')).metrics)
        expect(matches).toEqual(chosen);
    for (const { definition } of templating.list) {
      if (definition === undefined) continue;
      const [, metric = '', label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      expect(faultsOf(metric)).toEqual([]);
      expect(SCRAPED).toContain(label);
    }
  });

  test('names lines by labels that they have', () => {
    for (const { expr, legendFormat } of targets) {
      const { metrics: used } = parsePromQuery(expr.replaceAll('$__rate_interval', '5m'));
      const labels = new Set(used.flatMap(({ name }) => [...(metrics.get(name)?.keys() ?? []), ...SCRAPED]));
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect([legendFormat, labels.has(label)]).toEqual([legendFormat, true]);
    }
  });

  test('has its rows, and panels that say what they show and do not cover each other', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Delivery', 'Clients', 'Commands', 'Flip', 'Redis', 'Process']);
    const cells = new Set<string>();
    for (const { title, type, description, gridPos } of panels) {
      if (type !== 'row') expect([title, description?.endsWith('.')]).toEqual([title, true]);
      const { x, y, w, h } = gridPos;
      for (let column = x; column < x + w; column += 1)
        for (let line = y; line < y + h; line += 1) cells.add(`${String(column)},${String(line)}`);
    }
    const area = panels.reduce((sum, { gridPos: { w, h } }) => sum + w * h, 0);
    expect(cells.size).toBe(area);
  });
});
