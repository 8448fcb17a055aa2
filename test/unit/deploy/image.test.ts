import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { linesOf, textOf } from '../../support/deploy-files.js';
import { ROOT } from '../../support/launched-gateway.js';

/** The instructions of the Dockerfile, as [name, the rest]. */
const instructions = linesOf(textOf('Dockerfile').replaceAll('\\\n', ' ')).map((line) => {
  const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
  return [name, rest] as const;
});
const all = (name: string): readonly string[] =>
  instructions.filter(([one]) => one === name).map(([, rest]) => rest);
/** What the image itself is made of: the instructions after the last FROM. */
const final = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'));
const only = (name: string): string => {
  const found = final.filter(([one]) => one === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0]?.[1] ?? '';
};
const [everything, ...letThrough] = linesOf(textOf('.dockerignore'));
const context = letThrough.map((line) => line.slice(1));

describe('what an engine is sent', () => {
  test('is a list of what is let through, and all of it is there', () => {
    expect(everything).toBe('*');
    expect(letThrough.filter((line) => !line.startsWith('!'))).toEqual([]);
    expect(context.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
    expect(context.filter((file) => /env|key|pem|test|git/i.test(path.basename(file)))).toEqual([]);
  });

  test('is what the Dockerfile copies, no more and no less', () => {
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(/\s+/).slice(0, -1));
    expect([...new Set(copied)].sort()).toEqual([...context].sort());
  });

  test('has what the scripts that build import from beside them', () => {
    for (const script of context.filter((file) => file.endsWith('.mjs'))) {
      const imported = [...textOf(script).matchAll(/ from '(\.{1,2}\/[^']+)'/g)].map(([, file]) =>
        path.posix.join(path.posix.dirname(script), String(file)),
      );
      expect(imported.filter((file) => !context.includes(file))).toEqual([]);
    }
  });
});

describe('the image', () => {
  test('is built in stages of a Node of one version, which the package allows', () => {
    const [, name, version] =
      /^NODE_IMAGE=(node):(\d+\.\d+\.\d+)-[a-z]+-slim$/.exec(all('ARG')[0] ?? '') ?? [];
    expect(name).toBe('node');
    const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
    expect(Number(version?.split('.')[0])).toBeGreaterThanOrEqual(
      Number(/^>=(\d+)$/.exec(engines.node)?.[1]),
    );
    expect(all('FROM').map((from) => from.split(' ')[0])).toEqual(Array(3).fill('${NODE_IMAGE}'));
  });

  test('holds what runs, and nothing of what builds', () => {
    expect(final.filter(([name]) => name === 'COPY').map(([, rest]) => rest)).toEqual([
      '--from=modules /app/node_modules node_modules/',
      '--from=build /app/dist dist/',
      'config config/',
      'package.json ./',
    ]);
    expect(final.filter(([name]) => name === 'RUN')).toEqual([]);
    expect(all('RUN').filter((command) => command.includes('npm ci --omit=dev'))).toHaveLength(1);
  });

  test('runs as somebody who is not root, by number, and owns no file', () => {
    expect(only('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(textOf('Dockerfile')).not.toMatch(/--chown|--chmod/);
  });

  test('starts without a shell, so that the signal to stop arrives', () => {
    expect(JSON.parse(only('CMD'))).toEqual(['node', 'dist/cli.js', 'start']);
    expect(only('STOPSIGNAL')).toBe('SIGTERM');
  });

  test('is asked by Node itself whether it lives, within the time it is given', () => {
    const [, timeout, command] = /--timeout=(\d+)s .*CMD (\[.*\])$/.exec(only('HEALTHCHECK')) ?? [];
    expect(JSON.parse(command ?? 'null')).toEqual(['node', 'dist/cli.js', 'health']);
    const [, answerMs] = /^const ANSWER_MS = (\d+);$/m.exec(textOf('src/health-command.ts')) ?? [];
    expect(Number(answerMs)).toBeLessThan(Number(timeout) * 1000);
  });

  test('says no secret, and listens where it is told to be reached', () => {
    const variables = Object.fromEntries(
      only('ENV')
        .split(/\s+/)
        .map((pair) => pair.split('=')),
    );
    expect(variables).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: only('EXPOSE') });
  });
});
