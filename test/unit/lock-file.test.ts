import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../support/launched-gateway.js';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(packages).filter(([place]) => place !== '');

test('every package is pinned to its content, those for other platforms, too', () => {
  expect(locked.length).toBeGreaterThan(500);
  const unpinned = locked.filter(([, { version, integrity }]) => {
    return version === undefined || !/^sha512-[\w+/]{86}==$/.test(integrity ?? '');
  });
  expect(unpinned.map(([place]) => place)).toEqual([]);
});

test('every package comes from a registry', () => {
  const others = locked.filter(([, { resolved = 'https:' }]) => !resolved.startsWith('https:'));
  expect(others).toEqual([]);
});

test('none for another platform is left out: npm ci would refuse the file there', () => {
  const missing = locked.flatMap(([holder, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`${holder}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});
