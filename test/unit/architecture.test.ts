import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';

const ROOT = path.resolve(__dirname, '../..');
const folders: string[] = [];

/** A sound tree in the shape of src, by file. */
const SOUND: Readonly<Record<string, string>> = {
  'src/core/event.ts': 'export interface Event {\n  readonly id: string;\n}\n',
  'src/core/room.ts':
    "import type { Event } from './event.js';\n\nexport const sizeOf = (events: readonly Event[]): number => events.length;\n",
  'src/profiles/sse/sse-profile.ts':
    "import { sizeOf } from '../../core/room.js';\n\nexport const sse = (): number => sizeOf([]);\n",
  'src/profiles/socketio/socketio-profile.ts':
    "import { Server } from 'socket.io';\nimport { sizeOf } from '../../core/room.js';\n\nexport const socketio = (): unknown => [Server, sizeOf([])];\n",
  'src/profiles/http/app.ts':
    "import express from 'express';\nimport { sizeOf } from '../../core/room.js';\n\nexport const app = (): unknown => [express, sizeOf([])];\n",
  'src/gateway.ts':
    "import { app } from './profiles/http/app.js';\nimport { socketio } from './profiles/socketio/socketio-profile.js';\nimport { sse } from './profiles/sse/sse-profile.js';\n\nexport const parts = [app, socketio, sse];\n",
};

interface Lint {
  readonly passes: boolean;
  readonly output: string;
}

/** Runs the project's own lint, by the project's own rules, over the sound tree with `changes`. */
function lint(changes: Readonly<Record<string, string>> = {}): Promise<Lint> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'flipgate-architecture-'));
  folders.push(folder);
  for (const [file, text] of Object.entries({ ...SOUND, ...changes })) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  for (const file of ['.oxlintrc.json', 'package.json', 'tsconfig.json']) {
    copyFileSync(path.join(ROOT, file), path.join(folder, file));
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  const oxlint = path.join(ROOT, 'node_modules/oxlint/bin/oxlint');
  return new Promise((resolve) => {
    execFile(process.execPath, [oxlint], { cwd: folder }, (error, stdout, stderr) => {
      resolve({ passes: error === null, output: stdout + stderr });
    });
  });
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the lint check', () => {
  test('passes a sound tree', async () => {
    const { passes, output } = await lint();
    expect([passes, passes ? '' : output]).toEqual([true, '']);
  });

  test.each<[string, Record<string, string>, string]>([
    [
      'a circle of imports',
      {
        'src/core/event.ts': "import { sizeOf } from './room.js';\n\nexport const size = sizeOf;\n",
        'src/core/room.ts':
          "import { size } from './event.js';\n\nexport const sizeOf = (): unknown => size;\n",
      },
      'import(no-cycle)',
    ],
    [
      'a circle of type-only imports',
      {
        'src/core/event.ts':
          "import type { Room } from './room.js';\n\nexport interface Event {\n  readonly room: Room;\n}\n",
        'src/core/room.ts':
          "import type { Event } from './event.js';\n\nexport interface Room {\n  readonly events: readonly Event[];\n}\n\nexport const sizeOf = (events: readonly Event[]): number => events.length;\n",
      },
      'import(no-cycle)',
    ],
    [
      'a circle through three files',
      {
        'src/core/event.ts': "import type { A } from './a.js';\n\nexport type Event = A;\n",
        'src/core/a.ts': "import type { B } from './b.js';\n\nexport type A = B;\n",
        'src/core/b.ts': "import type { Event } from './event.js';\n\nexport type B = Event | null;\n",
      },
      'import(no-cycle)',
    ],
    [
      'the sse profile importing the socketio profile',
      {
        'src/profiles/sse/sse-profile.ts':
          "import { socketio } from '../socketio/socketio-profile.js';\n\nexport const sse = socketio;\n",
      },
      'profiles never import each other',
    ],
    [
      'the socketio profile importing a type of the sse profile',
      {
        'src/profiles/socketio/socketio-profile.ts':
          "import type { sse } from '../sse/sse-profile.js';\n\nexport const socketio = (one: typeof sse): unknown => one;\n",
      },
      'profiles never import each other',
    ],
    [
      'the sse profile importing socket.io',
      {
        'src/profiles/sse/sse-profile.ts':
          "import { Server } from 'socket.io';\n\nexport const sse = (): unknown => Server;\n",
      },
      'profiles never import each other',
    ],
    [
      'the listener importing a profile',
      {
        'src/profiles/http/app.ts':
          "import { sse } from '../sse/sse-profile.js';\n\nexport const app = (): unknown => sse;\n",
      },
      'the listener knows its mounts',
    ],
    [
      'core importing express',
      {
        'src/core/room.ts':
          "import express from 'express';\n\nexport const sizeOf = (_: unknown): number => express.length;\n",
      },
      'core knows no wire',
    ],
    [
      'core importing a type of socket.io',
      {
        'src/core/room.ts':
          "import type { Server } from 'socket.io';\n\nexport const sizeOf = (one: Server | readonly unknown[]): number => Object.keys(one).length;\n",
      },
      'core knows no wire',
    ],
    [
      'core importing what Socket.IO is made of',
      {
        'src/core/deep/room.ts':
          "import { Server } from 'engine.io';\nimport { createAdapter } from '@socket.io/redis-adapter';\n\nexport const all = [Server, createAdapter];\n",
      },
      'core knows no wire',
    ],
    [
      'core importing express when it needs it',
      { 'src/core/deep/room.ts': "export const load = (): Promise<unknown> => import('express');\n" },
      'core knows no wire',
    ],
    [
      'core importing a profile',
      {
        'src/core/deep/room.ts':
          "import { app } from '../../profiles/http/app.js';\n\nexport const all = [app];\n",
      },
      'core imports core only',
    ],
  ])('fails on %s', async (_name, changes, message) => {
    const { passes, output } = await lint(changes);
    expect(output).toContain(message);
    expect(passes).toBe(false);
  });
});
