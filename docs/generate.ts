// npm run docs: everything in docs/ that is made and not written.
import pg from 'pg';
import { withDocsDatabase } from './docs-database.ts';
import { generateChecks } from './generate-checks.ts';
import { generateErrors } from './generate-errors.ts';

await withDocsDatabase(async (url) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await generateErrors(client);
    await generateChecks(client);
  } finally {
    await client.end();
  }
});
