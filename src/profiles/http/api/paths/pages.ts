import { CLIENT_FILES } from '../../routes/client-script.js';
import { fileAnswer, NOT_MODIFIED } from '../answers.js';
import { operation } from '../operation.js';
import { inPath } from '../request-parts.js';
import { type Schema, text } from '../schema.js';

const SCRIPT = 'text/javascript';
const MAP = 'application/json';

const page = operation({
  id: 'readConsole',
  tag: 'pages',
  summary: 'The console',
  text: 'The page for operators. What it shows it asks of the other routes, with a token where one is needed.',
  access: 'public',
  answers: file('The page.', 'text/html'),
});

const consoleFile = operation({
  id: 'readConsoleFile',
  tag: 'pages',
  summary: 'What the console is made of',
  text: 'Scripts, styles and pictures.',
  access: 'public',
  parameters: [inPath('file', "The file's name.", text(), 'app.js')],
  answers: file('The file.', SCRIPT, 'text/css', 'text/html', 'image/svg+xml', MAP),
  refusals: ['not_found'],
});

/** Paths of what browsers load. */
export const pagePaths: Readonly<Record<string, Schema>> = {
  '/': { get: page },
  '/console/{file}': { get: consoleFile },
  ...Object.fromEntries(CLIENT_FILES.map((path) => [path, { get: clientFile(path) }])),
  '/openapi.json': { get: document('readOpenApi', 'The HTTP API', 'This document.') },
  '/asyncapi.json': {
    get: document(
      'readAsyncApi',
      'What goes over the wires',
      'The AsyncAPI document: streams, Socket.IO, Redis.',
    ),
  },
};

function file(description: string, ...types: readonly string[]): Readonly<Record<string, Schema>> {
  return {
    200: fileAnswer(description, ...types),
    206: { description: 'The part that `Range` asks for.', content: fileAnswer('', ...types)['content'] },
    304: NOT_MODIFIED,
  };
}

function clientFile(path: string): Schema {
  const isMap = path.endsWith('.map');
  return operation({
    id: `read${path.replace(/\W+(\w)/g, (_all, letter: string) => letter.toUpperCase())}`,
    tag: 'pages',
    summary: isMap ? 'The source map of a script of the SDK' : 'The SDK for browsers',
    text: isMap ? 'For debuggers.' : 'A module; `/client-shared.js` is what tabs load that share a stream.',
    access: 'public',
    answers: file('The file.', isMap ? MAP : SCRIPT),
  });
}

function document(id: string, summary: string, description: string): Schema {
  return operation({
    id,
    tag: 'pages',
    summary,
    text: description,
    access: 'public',
    answers: { 200: fileAnswer('The document.', 'application/json'), 304: NOT_MODIFIED },
  });
}
