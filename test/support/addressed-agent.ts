import http from 'node:http';

/** An agent whose connections come from 127.0.0.2 and on, another for each index. Linux has all of 127.0.0.0/8. */
export function addressedAgent(index: number): http.Agent {
  const options: http.AgentOptions & { localAddress: string } = {
    keepAlive: true,
    localAddress: `127.0.0.${String(index + 2)}`,
  };
  return new http.Agent(options);
}
