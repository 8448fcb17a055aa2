import { once } from 'node:events';
import http from 'node:http';
import { DocumentSchemas, type Place } from './document-schemas.js';
import { type JsonAnswer, requestJson } from './json-request.js';

/** The parts of a document that requests are made by. */
interface OperationEntry {
  readonly operationId: string;
  /** What it takes, one of them; none: it is open to everybody. */
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: unknown }[];
  readonly requestBody?: {
    readonly content: Record<string, { examples: Record<string, { value: unknown }> }>;
  };
  readonly responses: Record<string, ResponseEntry>;
}

/** A way to show who one is. */
export interface SecurityScheme {
  readonly type: string;
  readonly scheme?: string;
  readonly in?: string;
  readonly name?: string;
}

interface ResponseEntry {
  readonly headers?: Record<string, { readonly required?: boolean }>;
  readonly content?: Record<string, { readonly schema?: { readonly type?: unknown } }>;
}

/** What an operation is asked with. */
export interface Asked {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: http.OutgoingHttpHeaders;
  /** As `requestJson` takes it. */
  readonly body?: unknown;
}

/** An operation, and where it stands. */
export interface DocumentedOperation extends OperationEntry {
  readonly method: string;
  readonly path: string;
}

/** The HTTP API of a gateway as its own document has it: whatever it answers is held against that. */
export class DocumentedApi {
  readonly url: string;
  readonly document: {
    readonly paths: Record<string, Record<string, OperationEntry>>;
    readonly components: { readonly securitySchemes: Record<string, SecurityScheme> };
  };
  readonly schemas: DocumentSchemas;
  /** Statuses that came, by operation. */
  readonly told = new Map<string, Set<string>>();

  readonly #headers: http.OutgoingHttpHeaders;

  /** `headers` go with every request that names none of its own. */
  constructor(url: string, document: object, headers: http.OutgoingHttpHeaders = {}) {
    this.url = url;
    this.#headers = headers;
    this.document = document as DocumentedApi['document'];
    this.schemas = new DocumentSchemas(document);
  }

  /** Asks the gateway for its document. */
  static async of(url: string, headers: http.OutgoingHttpHeaders): Promise<DocumentedApi> {
    return new DocumentedApi(url, (await requestJson('GET', `${url}/openapi.json`)).json, headers);
  }

  /** All operations. */
  get operations(): DocumentedOperation[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, entry]) => ({ ...entry, method, path })),
    );
  }

  /** The examples of an operation's request body, by name. */
  examplesOf(operationId: string): [string, unknown][] {
    const body = this.#find(operationId).requestBody?.content['application/json'];
    return Object.entries(body?.examples ?? {}).map(([name, { value }]) => [name, value]);
  }

  /** Asks; parameters in the path are those of the examples unless named. Throws when the answer is not as documented. */
  async ask(operationId: string, asked: Asked = {}): Promise<JsonAnswer> {
    const operation = this.#find(operationId);
    const answer = await request(this.#addressOf(operation, asked), operation.method.toUpperCase(), {
      ...asked,
      headers: { ...this.#headers, ...asked.headers },
    });
    const faults = this.#faultsOf(operation, answer);
    if (faults.length > 0) {
      const what = `${operationId} answered ${String(answer.status)} ${answer.text.slice(0, 500)}`;
      throw new Error(`${what}\nwhich is not as documented:\n${faults.join('\n')}`);
    }
    const told = this.told.get(operationId) ?? new Set();
    this.told.set(operationId, told.add(String(answer.status)));
    return answer;
  }

  #find(operationId: string): DocumentedOperation {
    const found = this.operations.find((one) => one.operationId === operationId);
    if (found === undefined) throw new Error(`the document has no operation ${operationId}`);
    return found;
  }

  #addressOf(
    { path, parameters = [] }: DocumentedOperation,
    { path: given = {}, query = {} }: Asked,
  ): string {
    const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => {
      const example = parameters.find((one) => one.in === 'path' && one.name === name)?.example;
      return given[name] ?? encodeURIComponent(String(example));
    });
    const text = new URLSearchParams(query).toString();
    return `${this.url}${filled}${text === '' ? '' : `?${text}`}`;
  }

  #faultsOf({ path, method, responses }: DocumentedOperation, answer: JsonAnswer): string[] {
    const status = String(answer.status);
    const response = responses[status];
    if (response === undefined) return ['there is no such status'];
    const place: Place = ['paths', path, method, 'responses', status];
    return [...this.#headerFaults(response, place, answer), ...this.#bodyFaults(response, place, answer)];
  }

  #headerFaults({ headers = {} }: ResponseEntry, place: Place, answer: JsonAnswer): string[] {
    return Object.entries(headers).flatMap(([name, { required = false }]) => {
      const text = answer.headers[name.toLowerCase()];
      if (text === undefined) return required ? [`the header ${name} is missing`] : [];
      const value: unknown = /^[0-9]+$/.test(String(text)) ? Number(text) : text;
      const faults = this.schemas.faultsOf(value, [...place, 'headers', name, 'schema']);
      return faults.map((fault) => `the header ${name}: ${fault}`);
    });
  }

  #bodyFaults({ content = {} }: ResponseEntry, place: Place, { headers, text, json }: JsonAnswer): string[] {
    const type = /^[^;]*/.exec(headers['content-type'] ?? '')?.[0] ?? '';
    if (Object.keys(content).length === 0) return text === '' ? [] : ['there is a body'];
    if (content[type] === undefined) return [`the content type is ${type}`];
    const isFile = type !== 'application/json' || content[type].schema?.type === 'string';
    return this.schemas.faultsOf(isFile ? text : json, [...place, 'content', type, 'schema']);
  }
}

/** As `requestJson`; of an answer that has no end the beginning, and of an upgrade its head. */
async function request(address: string, method: string, { body, headers = {} }: Asked): Promise<JsonAnswer> {
  const isEndless = address.includes('/api/events/stream') || headers['Upgrade'] !== undefined;
  if (!isEndless) return requestJson(method, address, body, headers);
  const sent = http.request(address, { method, agent: false, headers });
  sent.end();
  const [response] = (await Promise.race([once(sent, 'response'), once(sent, 'upgrade')])) as [
    http.IncomingMessage,
  ];
  let text = '';
  if (response.statusCode === 101) return answerOf(response, text);
  for await (const part of response.setEncoding('utf8')) {
    text += String(part);
    if (text.includes('event: ')) break;
  }
  return answerOf(response, text);
}

function answerOf(response: http.IncomingMessage, text: string): JsonAnswer {
  response.socket.destroy();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.statusCode ?? 0, headers: response.headers, text, json };
}
