import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { graceMsFor, secondsToMs, textOf, variablesOf, yamlOf } from '../../support/deploy-files.js';
import { ROOT } from '../../support/launched-gateway.js';

const FOLDER = 'deploy/compose';

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path: boolean };
}
interface ComposeService {
  readonly image: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly restart?: string;
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly volumes?: readonly (string | Mount)[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly healthcheck?: object;
}
interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const text = textOf(`${FOLDER}/compose.yml`);
const { services, networks, secrets } = yamlOf(`${FOLDER}/compose.yml`) as Compose;
const service = (name: string): ComposeService => {
  const found = services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};
const nodes = Object.keys(services).filter((name) => name.startsWith('gateway-'));
const networksOf = (name: string): readonly string[] => {
  const { networks: all } = service(name);
  return Array.isArray(all) ? (all as readonly string[]) : Object.keys(all);
};
const addressOf = (name: string): string | undefined => {
  const { networks: all } = service(name);
  return (all as Readonly<Record<string, { readonly ipv4_address?: string }>>).edge?.ipv4_address;
};
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('there are two gateways, alike but for their addresses, and what they need', () => {
  expect(Object.keys(services)).toEqual([
    'gateway-a',
    'gateway-b',
    'redis',
    'nginx',
    'prometheus',
    'grafana',
  ]);
  const [{ networks: _a, ...a }, { networks: _b, ...b }] = [service('gateway-a'), service('gateway-b')];
  expect(a).toEqual(b);
});

test('no container can write to its image, or become more than it is; each is of one version, and asked for its health', () => {
  for (const [name, one] of Object.entries(services)) {
    expect([name, one.read_only, one.cap_drop, one.cap_add, one.privileged]).toEqual([
      name,
      true,
      ['ALL'],
      undefined,
      undefined,
    ]);
    expect(one.security_opt).toEqual(['no-new-privileges:true']);
    expect(one.restart).toBe('unless-stopped');
    if (nodes.includes(name)) continue;
    expect(one.image).toMatch(/^[\w./-]+:v?\d+\.\d+/);
    expect(one.healthcheck).toBeDefined();
  }
});

test('gateways have time to move their clients before they are killed', () => {
  for (const name of nodes) {
    const { environment, stop_grace_period: grace } = service(name);
    expect(secondsToMs(grace ?? '')).toBeGreaterThanOrEqual(graceMsFor(Number(environment?.DRAIN_MS)));
  }
});

describe('secrets', () => {
  const required = [...new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => String(name)))];
  const example = textOf(`${FOLDER}/.env.example`);

  test('have no default: without them Compose refuses, and says what to do', () => {
    expect(required.sort()).toEqual(['FLIPGATE_API_KEYS', 'GRAFANA_PASSWORD', 'REDIS_PASSWORD']);
    expect([...text.matchAll(/\$\{(?:\w*)(?:KEY|KEYS|PASSWORD|SECRET)\b(?!:\?)/g)].map(String)).toEqual([]);
    expect(variablesOf(example)).toEqual(Object.fromEntries(required.map((name) => [name, ''])));
  });

  test('every other variable has a default, and the example names it', () => {
    const optional = [...text.matchAll(/(?<!\$)\$\{(\w+)(:-)?[^?]/g)].filter(
      ([, name]) => !required.includes(String(name)),
    );
    expect(optional.filter(([, , fallback]) => fallback === undefined)).toEqual([]);
    const named = Object.keys(variablesOf(example, { examples: true }));
    expect(optional.map(([, name]) => name).filter((name) => !named.includes(String(name)))).toEqual([]);
  });

  test('are made by the script: what gateways are told fits what Prometheus and people have', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-secrets-'));
    folders.push(folder);
    const script = path.join(folder, 'make-secrets.sh');
    copyFileSync(path.join(ROOT, FOLDER, 'make-secrets.sh'), script);
    const told = execFileSync('sh', [script], { encoding: 'utf8' });
    const made = variablesOf(readFileSync(path.join(folder, '.env'), 'utf8'));
    expect(Object.keys(made).sort()).toEqual(required);
    expect(statSync(path.join(folder, '.env')).mode & 0o077).toBe(0);
    expect(statSync(path.join(folder, 'secrets')).mode & 0o077).toBe(0);
    const keys = JSON.parse(String(made.FLIPGATE_API_KEYS).replace(/^'(.*)'$/, '$1')) as {
      id: string;
      sha256: string;
      admin?: string[];
    }[];
    const known = new Map(
      [...told.matchAll(/^ {2}(\w+) +([0-9a-f]{48})$/gm)].map(([, id, key]) => [String(id), String(key)]),
    );
    known.set('prometheus', readFileSync(path.join(folder, 'secrets/metrics-key'), 'utf8'));
    expect(keys.map(({ id }) => id)).toEqual(['operator', 'publisher', 'reader', 'prometheus']);
    for (const { id, sha256 } of keys) {
      expect(sha256).toBe(
        createHash('sha256')
          .update(known.get(id) ?? '')
          .digest('hex'),
      );
    }
    expect(keys.at(-1)).toEqual({ id: 'prometheus', sha256: expect.any(String), admin: ['metrics'] });
    const again = spawnSync('sh', [script], { encoding: 'utf8' });
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('nothing done')]);
  });
});

describe('nginx', () => {
  const [, , command = ''] = service('nginx').entrypoint ?? [];
  const conf = textOf('deploy/nginx/flipgate.conf');

  test('runs the tested configuration, with the addresses of the nodes in it', () => {
    const changes = [...command.matchAll(/s\/([^/]+)\/([^/]+)\//g)].map(
      ([, from, to]) => [String(from).replaceAll('\\', ''), String(to)] as const,
    );
    expect(changes).toEqual([
      ['127.0.0.1:5002', `${String(addressOf('gateway-a'))}:5002`],
      ['127.0.0.1:5003', `${String(addressOf('gateway-b'))}:5002`],
    ]);
    for (const [from] of changes) expect(conf.split(from)).toHaveLength(3);
    expect(changes.reduce((all, [from, to]) => all.replaceAll(from, to), conf)).not.toContain(
      '127.0.0.1:500',
    );
    expect(conf.split('\n').filter((line) => line.split('127.0.0.1:500').length > 2)).toEqual([]);
  });

  test('logs where its container can write, and without a query', () => {
    const logs = [...conf.matchAll(/_log (\/[^ ;]+)/g)].map(([, file]) => String(file));
    const changes = [...command.matchAll(/s\|([^|]+)\|([^|]+)\|/g)].map(
      ([, from, to]) => [String(from), String(to)] as const,
    );
    expect(new Set(changes.map(([from]) => from))).toEqual(new Set(logs));
    expect(changes.map(([, to]) => to)).toEqual(['/dev/stdout', 'stderr']);
    const [, format = ''] = /^log_format flipgate '(.*)';$/m.exec(conf) ?? [];
    expect(format).toContain('$uri');
    expect(format).not.toMatch(/\$(request|request_uri|args|query_string|arg_\w+|http_\w+|is_args)\b/);
  });

  test('is asked for its health at an address that nobody else reaches', () => {
    const [, address] = /^ +listen (127\.0\.0\.1:\d+);$/m.exec(textOf(`${FOLDER}/nginx.conf`)) ?? [];
    expect(service('nginx').healthcheck).toMatchObject({
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://${String(address)}/healthz`],
    });
  });

  test('is the one proxy that gateways believe, and sends them the address of each client', () => {
    for (const name of nodes) expect(service(name).environment?.TRUSTED_PROXIES).toBe(addressOf('nginx'));
    expect(conf).toContain('proxy_set_header X-Forwarded-For');
  });

  test('finds its certificate where the configuration looks for it', () => {
    const targets = (service('nginx').volumes ?? []).map((mount) => (mount as Mount).target);
    for (const [, file] of conf.matchAll(/ssl_certificate(?:_key)? +(\S+);/g))
      expect(targets).toContain(file);
    expect(textOf(`${FOLDER}/nginx.conf`)).toContain('include /tmp/flipgate.conf;');
  });
});

test('what is mounted from the repository is there, and can not be changed', () => {
  const mounts = Object.values(services)
    .flatMap(({ volumes = [] }) => volumes)
    .filter((volume): volume is Mount => typeof volume !== 'string');
  expect(mounts.length).toBeGreaterThan(8);
  for (const { source, read_only: isReadOnly, bind } of mounts) {
    expect([source, isReadOnly]).toEqual([source, true]);
    if (source.startsWith('./secrets/')) expect(bind).toEqual({ create_host_path: false });
    else expect([source, existsSync(path.join(ROOT, FOLDER, source))]).toEqual([source, true]);
  }
});

test('from outside only nginx is reached, by TLS; Redis by gateways alone', () => {
  const ports = Object.entries(services).flatMap(([name, { ports: all = [] }]) =>
    all.map((port) => [name, port] as const),
  );
  expect(ports.filter(([, port]) => !port.startsWith('127.0.0.1:'))).toEqual([
    ['nginx', '${HTTPS_PORT:-443}:443'],
  ]);
  expect(networks.store?.internal).toBe(true);
  expect(Object.keys(services).filter((name) => networksOf(name).includes('store'))).toEqual([
    ...nodes,
    'redis',
  ]);
  expect(networksOf('redis')).toEqual(['store']);
});

test('Prometheus asks both gateways, as the job that rules and dashboard know, with its key', () => {
  const { scrape_configs: jobs, rule_files: rules } = yamlOf(`${FOLDER}/prometheus.yml`) as {
    scrape_configs: {
      job_name: string;
      authorization: { credentials_file: string };
      static_configs: { targets: string[] }[];
    }[];
    rule_files: string[];
  };
  expect(jobs.map(({ job_name: name }) => name)).toEqual(['flipgate']);
  expect(jobs[0]?.static_configs).toEqual([{ targets: nodes.map((name) => `${name}:5002`) }]);
  const [secret] = service('prometheus').secrets ?? [];
  expect(jobs[0]?.authorization.credentials_file).toBe(`/run/secrets/${String(secret)}`);
  expect(secrets[String(secret)]?.file).toBe('./secrets/metrics-key');
  const targets = (service('prometheus').volumes ?? []).map((mount) => (mount as Mount).target);
  for (const file of rules) expect(targets).toContain(file);
});

test('Grafana finds the dashboard where it is told to look', () => {
  const { providers } = yamlOf(`${FOLDER}/grafana/dashboards.yml`) as {
    providers: { options: { path: string } }[];
  };
  const targets = (service('grafana').volumes ?? []).map((mount) => (mount as Mount).target);
  expect(targets).toContain(`${String(providers[0]?.options.path)}/flipgate.json`);
});
