import { ERRORS } from '../../../core/errors.js';
import { TAGS } from './operation.js';
import { commandPaths } from './paths/commands.js';
import { denialPaths } from './paths/denials.js';
import { eventPaths } from './paths/events.js';
import { operationPaths } from './paths/operations.js';
import { pagePaths } from './paths/pages.js';
import { socketIoPaths } from './paths/socketio.js';
import type { Schema } from './schema.js';
import { schemasFor } from './schemas/all.js';
import { SECURITY_SCHEMES } from './security.js';
import { readVersion } from './version.js';

/** Describes the HTTP API, as OpenAPI 3.1. */
export function openApiDocument(): Schema {
  const paths = {
    ...eventPaths,
    ...commandPaths,
    ...operationPaths,
    ...denialPaths,
    ...pagePaths,
    ...socketIoPaths,
  };
  return {
    openapi: '3.1.1',
    info: { title: 'flipgate', version: readVersion(), summary: SUMMARY, description: description() },
    servers: [{ url: '/', description: 'The gateway that serves this document.' }],
    tags: Object.entries(TAGS).map(([name, text]) => ({ name, description: text })),
    paths,
    components: { schemas: schemasFor(paths), securitySchemes: SECURITY_SCHEMES },
  };
}

const SUMMARY = 'A real-time gateway: the same events over Socket.IO or Server-Sent Events.';

function description(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, retryable }]) => `| \`${code}\` | ${String(status)} | ${retryable ? 'yes' : 'no'} |`,
  );
  return [
    'Every `GET` also answers `HEAD`. Bodies are JSON, and said to be: another `Content-Type` is refused.',
    'With `AUTH_MODE=none` no token is needed. With `token`, what is not allowed is refused; rooms and actions are matched ' +
      'against the patterns of the right.',
    ['| code | status | retryable |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}
