import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { requestJson } from './json-request.js';
import { ROOT } from './launched-gateway.js';
import { freePort } from './redis-server.js';
import { waitUntil } from './wait-until.js';

/** Proxies that deploy/ has a configuration for. */
export const PROXIES = ['nginx', 'haproxy', 'caddy'] as const;
export type ProxyName = (typeof PROXIES)[number];

/** A real proxy of its own, in front of two gateways, by the configuration in deploy/. */
export interface LaunchedProxy {
  /** Over HTTP/1.1, without TLS: the same site, beside the port that it has TLS on. */
  readonly url: string;
  /** Port 80 of its configuration, which serves nothing; Caddy's comes by itself, and is not started here. */
  readonly plainUrl: string;
  /** Over TLS, HTTP/2 for who wants it. */
  readonly secureUrl: string;
  /** The certificate it shows, which signs itself. */
  readonly certificate: string;
  /** Has it check its configuration; resolves with what it says then, rejects when it would not start. */
  check(): Promise<string>;
  /** What it wrote so far. */
  output(): string;
  /** The file that it logs requests in; empty where there is none. */
  requestLog(): string;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/** What differs from one site to the next. */
interface Site {
  /** A folder that is its own. */
  readonly folder: string;
  readonly nodes: readonly [number, number];
  readonly port: number;
  readonly plainPort: number;
  readonly securePort: number;
}

/** How a proxy is told of its site, and started. */
interface Kind {
  /** Its file in deploy/. */
  readonly file: string;
  /** What asks for its version. */
  readonly version: readonly string[];
  /** What ends it at once: nginx has children to end, Caddy would wait for all streams. */
  readonly ending: NodeJS.Signals;
  /** The values of the file that a site changes, and what becomes of them: each must be there. */
  changes(site: Site): readonly (readonly [string, string])[];
  /** Writes the rest it needs; returns the arguments that check the configuration, and those that run it. */
  prepare(site: Site, text: string): { readonly check: readonly string[]; readonly run: readonly string[] };
}

/** What nginx logs requests in, in its folder. */
const REQUEST_LOG = 'requests.log';

const KINDS: Readonly<Record<ProxyName, Kind>> = {
  nginx: {
    file: 'nginx/flipgate.conf',
    version: ['-v'],
    ending: 'SIGTERM',
    changes: ({ folder, port, plainPort, securePort }) => [
      ['listen 80;', `listen 127.0.0.1:${String(plainPort)};`],
      ['listen 443 ', `listen 127.0.0.1:${String(port)};\n    listen 127.0.0.1:${String(securePort)} `],
      ['/var/log/nginx/flipgate.log', `${folder}/${REQUEST_LOG}`],
      ['/var/log/nginx/error.log', 'stderr'],
      ['/etc/ssl/certs/flipgate.pem', `${folder}/certificate.pem`],
      ['/etc/ssl/private/flipgate.key', `${folder}/key.pem`],
    ],
    prepare: ({ folder }, text) => {
      writeFileSync(path.join(folder, 'flipgate.conf'), text);
      writeFileSync(path.join(folder, 'nginx.conf'), nginxConf(folder));
      // Before it has read where to write, it writes where Debian would have it.
      const common = ['-e', 'stderr', '-p', folder, '-c', path.join(folder, 'nginx.conf')];
      return { check: [...common, '-t', '-q'], run: common };
    },
  },
  haproxy: {
    file: 'haproxy/haproxy.cfg',
    version: ['-v'],
    ending: 'SIGTERM',
    changes: ({ folder, port, plainPort, securePort }) => [
      ['maxconn 32000', 'maxconn 400'],
      ['bind :80\n', `bind 127.0.0.1:${String(plainPort)}\n`],
      ['bind :443 ', `bind 127.0.0.1:${String(port)}\n    bind 127.0.0.1:${String(securePort)} `],
      ['/etc/haproxy/flipgate.pem', `${folder}/both.pem`],
      // At the port without TLS programs would not keep the cookie.
      [' httponly secure ', ' httponly '],
    ],
    prepare: ({ folder }, text) => {
      const file = path.join(folder, 'haproxy.cfg');
      writeFileSync(file, text);
      return { check: ['-c', '-q', '-f', file], run: ['-db', '-f', file] };
    },
  },
  caddy: {
    file: 'caddy/Caddyfile',
    version: ['version'],
    ending: 'SIGKILL',
    // One site over TLS, and the same without.
    changes: () => [
      ['flipgate.example {', '(site) {'],
      ['\n{\n', '\n{\n\tadmin off\n\tauto_https disable_redirects\n'],
    ],
    prepare: ({ folder, port, securePort }, text) => {
      const file = path.join(folder, 'Caddyfile');
      const sites =
        `\nhttp://127.0.0.1:${String(port)} {\n\timport site\n}\n\nhttps://127.0.0.1:${String(securePort)} {\n` +
        `\ttls ${folder}/certificate.pem ${folder}/key.pem\n\timport site\n}\n`;
      writeFileSync(file, text + sites);
      const common = ['--config', file, '--adapter', 'caddyfile'];
      return { check: ['validate', ...common], run: ['run', ...common] };
    },
  },
};

/** Whether the proxy is installed, and openssl, which makes its certificate. */
export function hasProxy(name: ProxyName): boolean {
  return runs(name, KINDS[name].version) && runs('openssl', ['version']);
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Starts a proxy in front of gateways at these ports of this machine, and waits until it serves. */
export async function launchProxy(name: ProxyName, nodes: readonly [number, number]): Promise<LaunchedProxy> {
  const folder = mkdtempSync(path.join(os.tmpdir(), `flipgate-${name}-`));
  const [port, plainPort, securePort] = [await freePort(), await freePort(), await freePort()];
  const site: Site = { folder, nodes, port, plainPort, securePort };
  const certificate = await makeCertificate(folder);
  const { check, run } = KINDS[name].prepare(site, siteText(KINDS[name], site));
  const env = { PATH: process.env.PATH, HOME: folder };
  const child = spawn(name, run, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const url = `http://127.0.0.1:${String(site.port)}`;
  await waitUntil(async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended:\n${output}`);
    return (await requestJson('GET', `${url}/healthz`).catch(() => undefined))?.status === 200;
  }, `${name} to serve`);
  return {
    url,
    plainUrl: `http://127.0.0.1:${String(site.plainPort)}`,
    secureUrl: `https://127.0.0.1:${String(site.securePort)}`,
    certificate,
    check: async () => {
      const { stdout, stderr } = await promisify(execFile)(name, check, { env });
      return stdout + stderr;
    },
    output: () => output,
    requestLog: () => {
      const file = path.join(folder, REQUEST_LOG);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
    stop: async () => {
      await end(child, KINDS[name].ending);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The file of deploy/ as an operator would adjust it. */
function siteText({ file, changes }: Kind, site: Site): string {
  const [one, other] = site.nodes;
  const all = [
    ['127.0.0.1:5002', `127.0.0.1:${String(one)}`],
    ['127.0.0.1:5003', `127.0.0.1:${String(other)}`],
    // So that this machine has addresses outside, too.
    ['127.0.0.0/8', '127.0.0.1/32'],
    ...changes(site),
  ] as const;
  return all.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`deploy/${file} has no ${from}`);
      return text.replaceAll(from, to);
    },
    readFileSync(path.join(ROOT, 'deploy', file), 'utf8'),
  );
}

/** What an nginx.conf has around a site. */
function nginxConf(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  mkdirSync(path.join(folder, 'temporary'));
  return [
    // Its workers could not read the folder as anybody else.
    process.getuid?.() === 0 ? 'user root;' : '',
    'daemon off;',
    'worker_processes 2;',
    `pid ${folder}/nginx.pid;`,
    'error_log stderr warn;',
    'events { worker_connections 2048; }',
    'http {',
    'access_log off;',
    ...temporary.map((what) => `${what}_temp_path ${folder}/temporary/${what};`),
    `include ${folder}/flipgate.conf;`,
    '}\n',
  ].join('\n');
}

/** A certificate for 127.0.0.1 that signs itself, in the folder; `both.pem` has its key as well. */
async function makeCertificate(folder: string): Promise<string> {
  const [key, certificate] = [path.join(folder, 'key.pem'), path.join(folder, 'certificate.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', certificate]);
  const text = readFileSync(certificate, 'utf8');
  writeFileSync(path.join(folder, 'both.pem'), text + readFileSync(key, 'utf8'));
  return text;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exited;
}
