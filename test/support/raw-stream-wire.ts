import http from 'node:http';
import { EventStreamParser } from './event-stream-parser.js';
import { changeRooms, recordMessage, streamUrl } from './sse-request.js';
import { type Wire, type WireClient, WireRecord, WireRefused } from './wire-client.js';

/** A stream read with plain HTTP and a parser to the letter of the standard; its cursor goes in the header. */
export const rawStreamWire: Wire = {
  name: 'SSE by plain HTTP',
  transport: 'sse',
  comesBack: false,
  connect: (url, options) => {
    const got = new WireRecord(options.cursor ?? null);
    const headers = options.cursor === undefined ? {} : { 'Last-Event-ID': options.cursor };
    return new Promise((resolve, reject) => {
      const request = http.get(streamUrl(url, options), { headers, agent: false }, (response) => {
        if (response.statusCode !== 200) refuse(response, reject);
        else {
          record(response, got, () => {
            resolve(client);
          });
        }
      });
      request.on('error', reject);
      const client: WireClient = {
        got,
        join: (join) => changeRooms(url, got, { join }),
        leave: (leave) => changeRooms(url, got, { leave }),
        close: () => {
          request.destroy();
          return Promise.resolve();
        },
      };
    });
  },
};

function record(response: http.IncomingMessage, got: WireRecord, onWelcome: () => void): void {
  let told = got.cursor ?? '';
  const parser = new EventStreamParser(({ type, data, lastEventId }) => {
    recordMessage(got, type, data, lastEventId === told ? null : lastEventId);
    told = lastEventId;
    if (type === 'welcome') onWelcome();
  }, told);
  response.on('data', (bytes: Buffer) => {
    parser.feed(bytes);
    if (parser.lastEventId !== '') got.cursor = parser.lastEventId;
    got.heartbeats = parser.comments.length;
  });
  response.on('error', () => undefined);
  response.on('close', () => {
    got.losses += 1;
  });
}

function refuse(response: http.IncomingMessage, reject: (error: unknown) => void): void {
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  response.on('end', () => {
    reject(new WireRefused(JSON.parse(text).error));
  });
}
