import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Ajv } from 'ajv';
import express from 'express';
import { ConfigFaults } from '../../../../src/core/config/fault.js';
import { loadConfig } from '../../../../src/core/config/load.js';
import { ERRORS } from '../../../../src/core/errors.js';
import { type Gateway, startGateway } from '../../../../src/gateway.js';
import { asyncApiDocument } from '../../../../src/profiles/http/api/asyncapi.js';
import { openApiDocument } from '../../../../src/profiles/http/api/openapi.js';
import { Listener } from '../../../../src/profiles/http/listener.js';
import { DocumentedApi, type DocumentedOperation } from '../../../support/documented-api.js';
import { DocumentSchemas, type Place } from '../../../support/document-schemas.js';
import { ROOT } from '../../../support/launched-gateway.js';
import { silentLogger } from '../../../support/silent-logger.js';

/** What a layer of Express' router holds: a route, a router with more of them, or something that takes all below a path. */
interface Layer {
  readonly slash: boolean;
  readonly name: string;
  readonly route?: { readonly path: string | readonly string[]; readonly methods: Record<string, boolean> };
  readonly handle: { readonly stack?: readonly Layer[] };
  match(path: string): boolean;
}

const openApi = openApiDocument();
const asyncApi = asyncApiDocument();
const { operations } = new DocumentedApi('', openApi);

/** Every value that stands at the end of such a path, with its place; `*` is any key. */
function findAll(document: unknown, pattern: Place, place: Place = []): { place: Place; value: unknown }[] {
  const [key, ...rest] = pattern;
  if (key === undefined) return [{ place, value: document }];
  if (typeof document !== 'object' || document === null) return [];
  const keys = key === '*' ? Object.keys(document) : Object.hasOwn(document, key) ? [key] : [];
  return keys.flatMap((one) => findAll((document as Record<string, unknown>)[one], rest, [...place, one]));
}

/** Routes as `get /path/{name}`; and layers that take all below a path, whatever they do with it. */
function served(stack: readonly Layer[]): { routes: string[]; folders: Layer[] } {
  const routes: string[] = [];
  const folders: Layer[] = [];
  for (const layer of stack) {
    const { route, handle, slash } = layer;
    const inner = handle.stack === undefined ? undefined : served(handle.stack);
    if (route !== undefined) routes.push(...namesOf(route));
    else if (inner === undefined && !slash) folders.push(layer);
    routes.push(...(inner?.routes ?? []));
    folders.push(...(inner?.folders ?? []));
  }
  return { routes, folders };
}

function namesOf({ path: paths, methods }: NonNullable<Layer['route']>): string[] {
  return [paths]
    .flat()
    .flatMap((one) => Object.keys(methods).map((method) => `${method} ${one.replace(/:(\w+)/g, '{$1}')}`));
}

const isAt = ({ path: documented }: DocumentedOperation, mounted: string): boolean =>
  documented === mounted || documented.startsWith(`${mounted}/`);

describe('the OpenAPI document', () => {
  test('is one, of version 3.1', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-openapi-'));
    const file = path.join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(openApi));
    const validator = path.join(
      ROOT,
      'node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js',
    );
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [validator, file]);
      expect(JSON.parse(stdout)).toEqual({ valid: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(openApi['openapi']).toMatch(/^3\.1\./);
  });

  test('names each operation once, and says of each what it is and which right it takes', () => {
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary, description, tags } of operations as never as Record<string, string>[]) {
      expect([summary, description, tags?.[0]]).toEqual([
        expect.stringMatching(/./),
        expect.stringMatching(/Needs the right `\w+`|Needs no right|Open to everybody/),
        expect.stringMatching(/./),
      ]);
    }
  });

  test('has examples that are what it says of them', () => {
    const schemas = new DocumentSchemas(openApi);
    const content = ['content', 'application/json', 'examples', '*', 'value'];
    const bodies = findAll(openApi, ['paths', '*', '*', 'requestBody', ...content]);
    const answers = findAll(openApi, ['paths', '*', '*', 'responses', '*', ...content]);
    const faults = [...bodies, ...answers].flatMap(({ place, value }) =>
      schemas.faultsOf(value, [...place.slice(0, -3), 'schema']).map((fault) => [...place, fault]),
    );
    expect([faults, bodies.length > 5, answers.length > 10]).toEqual([[], true, true]);
  });

  test('has every code an HTTP answer can have at the status of the table', () => {
    const found = findAll(openApi, ['paths', '*', '*', 'responses', '*', 'description']).flatMap(
      ({ place, value }) =>
        [...String(value).matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(place.at(-2))] as const),
    );
    const told = new Map(found.filter(([code]) => Object.hasOwn(ERRORS, String(code))));
    for (const [code, status] of told)
      expect([code, status]).toEqual([code, ERRORS[code as 'internal'].status]);
    const untold = Object.keys(ERRORS).filter((code) => !told.has(code));
    // Of other methods than a path has; only in acks; only for a connection that is closed.
    expect(untold).toEqual(['unknown_event', 'method_not_allowed', 'slow_consumer']);
  });
});

describe('the AsyncAPI document', () => {
  test('is one, of version 3.0', () => {
    const schema = jest.requireActual<object>('@asyncapi/specs/schemas/3.0.0.json');
    const ajv = new Ajv({ strict: false, meta: false, validateSchema: false, validateFormats: false });
    const validate = ajv.compile(schema);
    expect([validate(asyncApi), validate.errors]).toEqual([true, null]);
  });

  test('has examples that are what it says of them, and refers to nothing that is not there', () => {
    const schemas = new DocumentSchemas(asyncApi);
    const examples = findAll(asyncApi, ['channels', '*', 'messages', '*', 'examples', '*']);
    const faults = examples.flatMap(({ place, value }) =>
      Object.entries(value as object).flatMap(([part, content]) =>
        schemas.faultsOf(content, [...place.slice(0, -2), part]).map((fault) => [...place, fault]),
      ),
    );
    const dangling = JSON.stringify(asyncApi)
      .match(/"\$ref":"[^"]*"/g)
      ?.map((one) => one.slice('"$ref":"#/'.length, -1).split('/'))
      .filter((place) => findAll(asyncApi, place).length === 0);
    expect([faults, dangling, examples.length > 20]).toEqual([[], [], true]);
  });

  test('has every message in an operation', () => {
    const used = new Set(JSON.stringify(asyncApi['operations']).match(/#\/channels\/\w+\/messages\/\w+/g));
    const all = findAll(asyncApi, ['channels', '*', 'messages', '*']).map(
      ({ place }) => `#/${place.join('/')}`,
    );
    expect(all.filter((one) => !used.has(one))).toEqual([]);
  });
});

describe('what a gateway serves', () => {
  let gateway: Gateway;
  const mounts: string[] = [];
  let app: { readonly router: { readonly stack: readonly Layer[] } };

  beforeAll(async () => {
    const apps = jest.spyOn(express.application as { init: () => void }, 'init');
    const mount = jest.spyOn(Listener.prototype, 'mount');
    const env = { APP_PROFILE: 'HYBRID', PORT: '0', HOST_MONITOR: 'false' };
    const loaded = loadConfig({ env, cwd: ROOT, packageRoot: ROOT });
    if (loaded instanceof ConfigFaults) throw new Error(loaded.toText());
    const started = await startGateway(loaded.config, silentLogger);
    if (started instanceof ConfigFaults) throw new Error(started.toText());
    gateway = started;
    mounts.push(...mount.mock.calls.map(([one]) => one.path));
    [app] = apps.mock.contexts as unknown as [typeof app];
    jest.restoreAllMocks();
  });

  afterAll(() => gateway.stop());

  test('is in the document, all of it', () => {
    const { routes, folders } = served(app.router.stack);
    const documented = new Set(operations.map(({ method, path: at }) => `${method} ${at}`));
    expect(routes.filter((route) => !documented.has(route))).toEqual([]);
    expect(folders.filter((folder) => !operations.some((one) => folder.match(one.path)))).toEqual([]);
    expect(mounts.filter((mount) => !operations.some((one) => isAt(one, mount)))).toEqual([]);
    expect([routes.length > 15, mounts.length]).toEqual([true, 3]);
  });

  test('is all that is in the document', () => {
    const { routes, folders } = served(app.router.stack);
    const files = folders.filter(({ name }) => name === 'serveStatic');
    const invented = operations.filter(
      (one) =>
        !routes.includes(`${one.method} ${one.path}`) &&
        !mounts.some((mount) => isAt(one, mount)) &&
        !files.some((folder) => folder.match(one.path)),
    );
    expect([invented.map(({ path: at }) => at), files.length]).toEqual([[], 1]);
  });
});
