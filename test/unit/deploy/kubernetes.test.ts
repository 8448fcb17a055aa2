import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import {
  documentsOf,
  filesBelow,
  graceMsFor,
  textOf,
  variablesOf,
  yamlOf,
} from '../../support/deploy-files.js';
import { ROOT } from '../../support/launched-gateway.js';

const FOLDER = 'deploy/kubernetes';

/** What Kubernetes takes, by kind. Source: the schemas of Kubernetes' own API, as kubernetes-models has them. */
const KINDS = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
} as const;

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/**
 * The same value, which notes in `unread` the path of each field that nobody has looked at. A schema's check looks at all
 * the fields that the schema has, so what is left are fields that Kubernetes does not know.
 */
function watched(value: unknown, at: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, index) => watched(item, `${at}[${String(index)}]`, unread));
  const fields = Object.entries(value).map(([name, inner]) => {
    unread.add(`${at}.${name}`);
    return [name, watched(inner, `${at}.${name}`, unread)] as const;
  });
  return new Proxy(Object.fromEntries(fields), {
    get: (target, name) => {
      unread.delete(`${at}.${String(name)}`);
      return target[String(name)];
    },
  });
}

/** Throws what is wrong with it. */
function validate(manifest: Manifest): void {
  const { kind } = manifest;
  const Kind: { readonly prototype: { validate(): void } } | undefined = KINDS[kind as keyof typeof KINDS];
  if (Kind === undefined) throw new Error(`no schema of ${kind}`);
  const unread = new Set<string>();
  Kind.prototype.validate.call(watched(manifest, kind, unread) as never);
  if (unread.size > 0) throw new Error(`no such field: ${[...unread].join(', ')}`);
}

const manifests = filesBelow(`${FOLDER}/base`)
  .filter((file) => file.endsWith('.yaml') && !file.endsWith('kustomization.yaml'))
  .flatMap((file) => documentsOf(textOf(file)) as readonly Manifest[]);
const one = (kind: string): unknown => {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  expect([kind, found.length]).toEqual([kind, 1]);
  return found[0];
};

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface DeploymentManifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly strategy: { readonly rollingUpdate: object };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly [
          {
            readonly env: readonly {
              readonly name: string;
              readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
            }[];
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
            readonly startupProbe: Probe;
            readonly livenessProbe: Probe;
            readonly readinessProbe: Probe;
            readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
            readonly securityContext: object;
          },
        ];
      };
    };
  };
}
const { spec } = one('Deployment') as DeploymentManifest;
const pod = spec.template.spec;
const [container] = pod.containers;
const settings = variablesOf(textOf(`${FOLDER}/base/flipgate.env`));

test('every manifest is what Kubernetes takes, and names no namespace', () => {
  expect(manifests.length).toBeGreaterThanOrEqual(8);
  for (const manifest of manifests) {
    validate(manifest);
    expect(manifest.metadata.namespace).toBeUndefined();
  }
});

test('the check of manifests finds a wrong type, a field that is not there, and an unknown version', () => {
  const service = one('Service') as Manifest & { spec: object };
  const [port] = (service.spec as { ports: [object] }).ports;
  for (const [wrong, why] of [
    [{ ...service, spec: { ...service.spec, ports: [{ ...port, port: 'eighty' }] } }, 'port must be integer'],
    [{ ...service, spec: { ...service.spec, ports: [{ ...port, tragetPort: 1 }] } }, 'ports[0].tragetPort'],
    [{ ...service, apiVersion: 'v2' }, '/apiVersion must be equal to'],
  ] satisfies [Manifest & { spec: object }, string][]) {
    expect(() => validate(wrong)).toThrow(why);
  }
});

test('the base is all that lies in its folder, but for what is an example', () => {
  const { resources } = yamlOf(`${FOLDER}/base/kustomization.yaml`) as { resources: string[] };
  const files = filesBelow(`${FOLDER}/base`).map((file) => path.basename(file));
  expect([...resources, 'kustomization.yaml', 'flipgate.env', 'secret.example.yaml'].sort()).toEqual(
    [...files].sort(),
  );
});

describe('the pods', () => {
  test('have time to move their clients before they are killed', () => {
    const [, sleep] = container.lifecycle.preStop.exec.command;
    const needed = Number(sleep) * 1000 + graceMsFor(Number(settings.DRAIN_MS));
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(needed);
  });

  test('are asked the right question, at the port that they have', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/healthz', port: 'http' },
      { path: '/healthz', port: 'http' },
      { path: '/readyz', port: 'http' },
    ]);
    expect(container.ports).toEqual([{ name: 'http', containerPort: 5002 }]);
    expect(textOf('Dockerfile')).toContain('PORT=5002');
  });

  test('are never fewer than wanted while they are replaced, nor while machines are emptied', () => {
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect((one('PodDisruptionBudget') as { spec: object }).spec).toMatchObject({ maxUnavailable: 1 });
  });

  test('can become nobody else, and write nowhere', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(textOf('Dockerfile')).toContain('\nUSER 1000:1000\n');
  });

  test('take what is secret from the Secret, of which the example has every key and no value', () => {
    const wanted = container.env.map(({ valueFrom }) => valueFrom.secretKeyRef);
    const secret = one('Secret') as Manifest & { stringData: Record<string, string> };
    for (const { name, key } of wanted) {
      expect(name).toBe(secret.metadata.name);
      expect(Object.keys(secret.stringData)).toContain(key);
    }
    expect(new Set(Object.values(secret.stringData))).toEqual(new Set(['replace-me']));
    for (const { name } of container.env) expect(settings).not.toHaveProperty(name);
    const monitor = textOf(`${FOLDER}/monitoring/podmonitor.yaml`);
    expect(monitor).toContain('credentials: { name: flipgate, key: metrics-key }');
    expect(secret.stringData).toHaveProperty('metrics-key');
  });
});

test('what selects pods finds them, and the two tracks do not find each other', () => {
  const { labels } = spec.template.metadata;
  expect(spec.selector.matchLabels).toEqual(labels);
  const name = { 'app.kubernetes.io/name': 'flipgate' };
  const budget = one('PodDisruptionBudget') as { spec: { selector: { matchLabels: object } } };
  const policy = one('NetworkPolicy') as { spec: { podSelector: { matchLabels: object } } };
  const service = one('Service') as { spec: { selector: object } };
  for (const selector of [
    budget.spec.selector.matchLabels,
    policy.spec.podSelector.matchLabels,
    service.spec.selector,
  ]) {
    expect(selector).toEqual(name);
  }
  expect(labels).toMatchObject(name);
});

test('every way in leads to the service, and streams and polling have theirs', () => {
  interface Way {
    readonly path: string;
    readonly backend: object;
  }
  type Ingresses = Manifest & {
    readonly spec: { readonly rules: readonly { readonly http: { readonly paths: readonly Way[] } }[] };
  };
  const ways = (manifests as Ingresses[])
    .filter(({ kind }) => kind === 'Ingress')
    .flatMap((ingress) => ingress.spec.rules.flatMap(({ http }) => http.paths));
  expect(ways.map((way) => way.path)).toEqual([
    '/',
    '/api/admin',
    '/metrics',
    '/api/events/stream',
    '/socket.io/',
  ]);
  for (const { backend } of ways) {
    expect(backend).toEqual({ service: { name: 'flipgate', port: { name: 'http' } } });
  }
});

test('the autoscaler asks for the metric that the adapter makes', () => {
  const scaler = one('HorizontalPodAutoscaler') as {
    spec: { scaleTargetRef: object; metrics: { pods?: { metric: { name: string } } }[] };
  };
  expect(scaler.spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'flipgate' });
  const metric = scaler.spec.metrics.find(({ pods }) => pods !== undefined)?.pods?.metric.name;
  const adapter = yamlOf(`${FOLDER}/monitoring/prometheus-adapter-values.yaml`) as {
    rules: { custom: { seriesQuery: string; name: { as: string } }[] };
  };
  const [rule] = adapter.rules.custom;
  expect(rule?.name.as).toBe(metric);
  expect(rule?.seriesQuery).toMatch(new RegExp(`^${String(metric)}\\{`));
});

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;

(hasKubectl ? describe : describe.skip)('put together by kubectl', () => {
  const built: Record<string, readonly Manifest[]> = {};

  beforeAll(() => {
    for (const name of ['base', 'canary']) {
      const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', path.join(ROOT, FOLDER, name)], {
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
      built[name] = documentsOf(stdout) as readonly Manifest[];
    }
  });

  test('the base and the canary are what Kubernetes takes', () => {
    for (const manifest of Object.values(built).flat()) validate(manifest);
  });

  test('the canary is one pod more that serves HYBRID, and nothing of the base', () => {
    const canary = built.canary ?? [];
    expect(canary.map(({ kind }) => kind).sort()).toEqual(['ConfigMap', 'Deployment']);
    const names = (built.base ?? []).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(canary.filter(({ kind, metadata }) => names.includes(`${kind}/${metadata.name}`))).toEqual([]);
    const map = canary.find(({ kind }) => kind === 'ConfigMap') as Manifest & { data: object };
    const deployment = canary.find(({ kind }) => kind === 'Deployment') as Manifest & DeploymentManifest;
    expect(map.data).toMatchObject({ ...settings, APP_PROFILE: 'HYBRID' });
    expect(deployment.spec).toMatchObject({
      replicas: 1,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'flipgate', 'flipgate/track': 'canary' } },
      template: { metadata: { labels: { 'flipgate/track': 'canary' } } },
    });
    expect(deployment.spec.template.spec.containers[0]).toMatchObject({
      envFrom: [{ configMapRef: { name: map.metadata.name } }],
    });
  });
});
