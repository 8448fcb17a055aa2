import { describe, expect, test } from '@jest/globals';
import { VARIABLES_BY_ENV } from '../../../src/core/config/schema.js';
import { documentsOf, filesBelow, textOf, variablesOf, yamlOf } from '../../support/deploy-files.js';

/** Variables of a gateway's process that are not the configuration's: Node's own. */
const OF_NODE = ['NODE_ENV', 'NODE_OPTIONS'];

type Settings = Readonly<Record<string, string>>;

const compose = yamlOf('deploy/compose/compose.yml') as {
  services: Record<string, { environment?: Settings }>;
};
const deployment = documentsOf(textOf('deploy/kubernetes/base/deployment.yaml')) as {
  spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
}[];
const [, inImage = ''] = /^ENV (.*)$/m.exec(textOf('Dockerfile')) ?? [];

/** All that deploy/ sets for a gateway, by the file that sets it. */
const SET: readonly (readonly [file: string, settings: Settings])[] = [
  ['Dockerfile', Object.fromEntries(inImage.split(' ').map((pair) => pair.split('=')))],
  ['compose.yml', compose.services['gateway-a']?.environment ?? {}],
  [
    'deployment.yaml',
    Object.fromEntries(
      deployment.flatMap(({ spec }) =>
        spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => [name, ''])),
      ),
    ),
  ],
  ['flipgate.env', variablesOf(textOf('deploy/kubernetes/base/flipgate.env'), { examples: true })],
  ['flipgate.env.example', variablesOf(textOf('deploy/systemd/flipgate.env.example'), { examples: true })],
];

describe.each(SET)('what %s sets', (_file, settings) => {
  test('are variables that there are', () => {
    expect(Object.keys(settings).length).toBeGreaterThan(0);
    const known = [...OF_NODE, ...VARIABLES_BY_ENV.keys()];
    expect(Object.keys(settings).filter((name) => !known.includes(name))).toEqual([]);
  });

  test('has values that they take', () => {
    const wrong = Object.entries(settings).filter(([name, value]) => {
      const variable = VARIABLES_BY_ENV.get(name);
      // Empty counts as unset; what a secret or a placeholder stands for is not known here.
      if (variable === undefined || value === '' || /[$…]/.test(value)) return false;
      return !variable.check(variable.parse(value.replace(/^'(.*)'$/, '$1')));
    });
    expect(wrong).toEqual([]);
  });
});

test('no variable that deploy/ speaks of in its texts is one that there was', () => {
  const spoken = filesBelow('deploy')
    .filter((file) => !file.endsWith('.json'))
    .flatMap((file) => [...textOf(file).matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`/g)])
    .map(([, name]) => String(name));
  const ofCompose = Object.keys(variablesOf(textOf('deploy/compose/.env.example'), { examples: true }));
  const known = [...OF_NODE, ...VARIABLES_BY_ENV.keys(), ...ofCompose, 'NODE_IMAGE'];
  expect([...new Set(spoken)].filter((name) => !known.includes(name))).toEqual([]);
});
