import type { Damage } from '../drill/damage.ts';

/** A row of app_public.health_check. */
export type CheckEntry = {
  name: string;
  domain: string;
  severity: 'info' | 'warning' | 'critical';
  entity_type: string;
  title: string;
  meaning: string;
  importance: string;
  resolution: string;
  remedy: 'repair' | 'review' | 'operator';
  repair: string | null;
  is_event_driven: boolean;
  description: string | null;
};

/** Query of the catalog in the order of the page, with what the views say of themselves. */
export const checksQuery = `
  select entry.name, entry.domain, entry.severity, entry.entity_type, entry.title, entry.meaning,
    entry.importance, entry.resolution, entry.remedy, entry.repair, entry.is_event_driven,
    pg_catalog.obj_description(pg_catalog.to_regclass('checks.' || entry.name), 'pg_class') as description
  from app_public.health_check as entry
  order by entry.severity desc, entry.name collate "C"`;

/** What the domains are called, in the order of the page. */
const domains: Readonly<Record<string, string>> = {
  slots: 'Slots and their appointments',
  generation: 'Generation of slots',
  appointments: 'Appointments',
  counters: 'Counters',
  references: 'Guards and references',
  history: 'What happened',
  system: 'The system',
};

const byItself: Readonly<Record<CheckEntry['remedy'], string>> = {
  repair: 'It is repaired without a person',
  review: 'It is given to people to review',
  operator: 'Whoever runs the system is told',
};

/** What is between these lines is made by running the damage, the rest from the catalog. */
export const exampleFence = { begins: '<!-- example -->', ends: '<!-- end of the example -->' };

/** The page of all checks, in Markdown. */
export function checksPage(entries: readonly CheckEntry[]): string {
  const known = Object.keys(domains);
  const order = [
    ...known,
    ...new Set(entries.map(({ domain }) => domain).filter((domain) => !known.includes(domain))),
  ];
  const sections = order.flatMap((domain) => {
    const own = entries.filter((entry) => entry.domain === domain);
    if (own.length === 0) return [];
    return [
      `## ${domains[domain] ?? domain}`,
      '',
      '| check | severity | finds | by itself | also after each change |',
      '| --- | --- | --- | --- | --- |',
      ...own.map(rowOf),
      '',
    ];
  });
  return [indexHead, ...sections].join('\n').trimEnd().concat('\n');
}

function rowOf({ name, severity, title, remedy, is_event_driven }: CheckEntry): string {
  const cells = [
    `[\`${name}\`](checks/${name}.md)`,
    severity,
    title,
    { repair: 'repaired', review: 'reviewed', operator: 'told' }[remedy],
    is_event_driven ? 'yes' : 'no',
  ];
  return `| ${cells.map(inCell).join(' | ')} |`;
}

/** The page of one check: the words of the catalog, and what its damages show. */
export function checkPage(
  entry: CheckEntry,
  damages: readonly Pick<Damage, 'story' | 'alsoFound'>[],
  example: string | undefined,
): string {
  const also = [...new Set(damages.flatMap(({ alsoFound }) => alsoFound ?? []))].toSorted();
  return [
    `# ${entry.title}`,
    '',
    `<!-- Made by \`npm run docs\` from sql/checks/${entry.domain}/${entry.name}.sql; edit it there. -->`,
    '',
    `\`${entry.name}\` · ${entry.severity} · ${(domains[entry.domain] ?? entry.domain).toLowerCase()} · about: ${entry.entity_type}`,
    '',
    ...(entry.description === null ? [] : [entry.description, '']),
    `**It means.** ${entry.meaning}`,
    '',
    `**Why it matters.** ${entry.importance}`,
    '',
    `**What to do.** ${entry.resolution}`,
    '',
    `**By itself.** ${remedyOf(entry)}`,
    '',
    '## Look',
    '',
    '```sql',
    `select * from checks.${entry.name};`,
    `select * from checks.${entry.name} where hospital_id = '…' and entity_id = '…';  -- one of them, by index`,
    `select * from checks.open_findings where check_name = '${entry.name}';  -- as the last runs remember it`,
    '```',
    '',
    ...storiesOf(damages),
    exampleFence.begins,
    ...(example === undefined ? [] : ['', '```', example, '```', '']),
    exampleFence.ends,
    '',
    ...(also.length > 0
      ? [
          `The same damage is also seen by ${also.map((name) => `[\`${name}\`](${name}.md)`).join(', ')}.`,
          '',
        ]
      : []),
    'All checks: [checks.md](../checks.md). How to work with them: [health.md](../health.md).',
    '',
  ].join('\n');
}

function remedyOf({ remedy, repair, is_event_driven }: CheckEntry): string {
  const seen = is_event_driven
    ? 'It is looked for within seconds of each change, and every night.'
    : 'It is looked for every night.';
  const by = repair === null ? '' : ` (\`app_private.${repair}\`)`;
  return `${byItself[remedy]}${by}. ${seen}`;
}

function storiesOf(damages: readonly Pick<Damage, 'story'>[]): string[] {
  if (damages.length === 0) return [];
  return ['## How it can come about', '', ...damages.map(({ story }) => `- ${story}`), ''];
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const indexHead = `# Checks

<!-- Made by \`npm run docs\` from sql/checks/; edit it there. -->

A check is a view of the schema \`checks\` that is empty while all is well. [health.md](health.md) tells how to
work with them; in psql the first thing to type is \`select * from checks.summary;\`, at a terminal
\`npm run doctor\`. Critical: patients or data are at risk now. Warning: something will go wrong. Info: worth
knowing. What is *repaired* needs nobody, what is *reviewed* waits for people in the review queue, what is
*told* is for whoever runs the system.
`;
