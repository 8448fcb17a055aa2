import { expect, test } from '@jest/globals';
import { textOf } from '../../support/deploy-files.js';

/** What the configuration of nginx counts an address under. */
function clientOf(address: string): string {
  const [, map = ''] =
    /map \$remote_addr \$flipgate_client \{\n([^}]*)\}/.exec(textOf('deploy/nginx/flipgate.conf')) ?? [];
  const patterns = [...map.matchAll(/^ +"~(.+)" \$/gm)].map(([, pattern]) => new RegExp(String(pattern)));
  expect(patterns).toHaveLength(2);
  const match = patterns.map((pattern) => pattern.exec(address)).find((found) => found !== null);
  return match?.[1] ?? address;
}

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:a:b:c:d', '2001:db8:1:2'],
  ['2001:db8:1:2:ffff:b:c:d', '2001:db8:1:2'],
  ['2001:db8:1:2::5', '2001:db8:1:2'],
  // As nginx writes an address of the network 2001:db8:1:0.
  ['2001:db8:1:0:a:b:c:d', '2001:db8:1:0'],
  ['2001:db8:1::c:d', '2001:db8:1'],
  ['2001:db8::1', '2001:db8'],
  ['fe80::1', 'fe80'],
  ['::1', '::1'],
])('nginx counts %s as %s', (address, client) => {
  expect(clientOf(address)).toBe(client);
});

test('HAProxy’s cookie is sent over TLS alone, to no script, and by no page of another site', () => {
  expect(textOf('deploy/haproxy/haproxy.cfg')).toMatch(
    /^ +cookie flipgate_node .* httponly secure attr SameSite=Strict$/m,
  );
});

test.each([
  ['nginx/flipgate.conf', /add_header Strict-Transport-Security "max-age=31536000" always;/],
  ['haproxy/haproxy.cfg', /http-after-response set-header Strict-Transport-Security max-age=31536000/],
  ['caddy/Caddyfile', /header Strict-Transport-Security "max-age=31536000"/],
])('%s keeps browsers at TLS', (file, line) => {
  expect(textOf(`deploy/${file}`)).toMatch(line);
});
