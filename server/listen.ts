import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Opens the server's port; resolves to its URL, rejects with the error of the socket. */
export function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const { address, family, port: opened } = server.address() as AddressInfo;
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${opened}`);
    });
  });
}
