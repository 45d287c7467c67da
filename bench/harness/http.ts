import { Agent, request } from 'node:http';

/** An answer over HTTP: status and parsed JSON. */
export interface HttpAnswer {
  status: number;
  body: unknown;
}

/** A client that keeps its connections: the leanest that Node has, so that the server is measured. */
export interface HttpClient {
  post(path: string, body: unknown): Promise<HttpAnswer>;
  close(): void;
}

/** Opens a client of `url` with at most `connections` at once. */
export function openHttpClient(
  url: string,
  connections: number,
  headers: Readonly<Record<string, string>> = {},
): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  const { hostname, port } = new URL(url);
  return {
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const payload = Buffer.from(JSON.stringify(body));
        const sent = request({
          agent,
          hostname,
          port,
          path,
          method: 'POST',
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': payload.length,
          },
        });
        sent.on('error', reject);
        sent.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            try {
              const text = Buffer.concat(chunks).toString();
              resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
            } catch (error) {
              reject(error);
            }
          });
        });
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
}
