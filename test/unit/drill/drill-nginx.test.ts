import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { adapt } from '../../../src/drill/stage/drill-nginx.js';
import { ROOT } from '../../support/launched-gateway.js';

const SHIPPED = `
upstream flipgate {
    server 127.0.0.1:5002 max_fails=0;
    server 127.0.0.1:5003 max_fails=0;
}
upstream flipgate_socketio {
    hash $remote_addr consistent;
    server 127.0.0.1:5002 max_fails=0;
    server 127.0.0.1:5003 max_fails=0;
}
server {
    listen 80;
    return 308 https://$host$request_uri;
}
server {
    listen 443 ssl http2;
    access_log /var/log/nginx/flipgate.log flipgate;
    error_log /var/log/nginx/error.log crit;
    ssl_certificate     /etc/ssl/certs/flipgate.pem;
    ssl_certificate_key /etc/ssl/private/flipgate.key;
    limit_conn flipgate_clients 1000;
    location / {
        limit_req zone=flipgate_streams burst=300 delay=200;
        proxy_pass http://flipgate;
    }
}
`;
const NODES = [{ url: 'http://127.0.0.1:21001' }, { url: 'http://127.0.0.1:21002' }];

test('the configuration that ships can be taken for a drill', () => {
  const shipped = readFileSync(path.join(ROOT, 'deploy/nginx/flipgate.conf'), 'utf8');
  const adapted = adapt(shipped, 18080, NODES);
  expect(adapted).toContain('listen 127.0.0.1:18080;');
  expect(adapted).not.toMatch(
    /^\s*(ssl_|listen (80|443))|127\.0\.0\.1:500[23]|\/var\/log|\b308 |^\s*limit_(req|conn) /m,
  );
});

describe('the shipped configuration of nginx', () => {
  test('is taken for the gateways of a drill, without TLS', () => {
    const adapted = adapt(SHIPPED, 18080, NODES);
    expect(adapted.match(/127\.0\.0\.1:21001/g)).toHaveLength(2);
    expect(adapted.match(/127\.0\.0\.1:21002/g)).toHaveLength(2);
    expect(adapted.match(/^\s*listen .*$/gm)?.map((line) => line.trim())).toEqual([
      'listen 127.0.0.1:18080;',
    ]);
    expect(adapted).not.toMatch(/ssl|500[23]|308|_log|limit_/);
    expect(adapted).toContain('hash $remote_addr consistent;');
  });

  test.each(['127.0.0.1:5003', 'listen 80;', 'listen 443 ssl http2;'])(
    'is not taken without %s: something else would be rehearsed',
    (part) => {
      expect(() => adapt(SHIPPED.replaceAll(part, 'else'), 18080, NODES)).toThrow(
        'deploy/nginx/flipgate.conf has no',
      );
    },
  );
});
