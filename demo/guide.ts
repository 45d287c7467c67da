import { DEMO_ACCOUNTS, DEMO_PASSWORD, demoEmail } from './accounts.ts';

/** What `npm start` prints beneath its URL: the logins of the demo and a first query to paste. */
export function demoGuide(baseUrl: string): string {
  const logins = DEMO_ACCOUNTS.map(
    ([name, role]) => `  ${demoEmail(name, 'demo').padEnd(22)} ${role}`,
  ).join('\n');
  const login = JSON.stringify({
    hospital: 'demo',
    email: demoEmail('reception', 'demo'),
    password: DEMO_PASSWORD,
  });
  const query = JSON.stringify({
    query: '{ doctors(first: 3) { nodes { id displayName specialty } } }',
  });
  return `
Demo hospital "demo" (Asia/Kolkata) and "north" (America/New_York, the same logins @north.test):
${logins}
  Password of all of them: ${DEMO_PASSWORD}

A first query to paste:
  TOKEN=$(curl -s ${baseUrl}/auth/login -H 'content-type: application/json' \\
    -d '${login}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
  curl -s ${baseUrl}/graphql -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d '${query}'
`;
}
