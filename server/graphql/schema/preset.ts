import 'postgraphile';
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter';
import { CalendarFeedUrlPlugin } from './calendar-feed-url.ts';
import { CheckOfFindingPlugin } from './check-of-finding.ts';
import { DescriptionsPlugin } from './descriptions.ts';
import { FreeSlotRelationsPlugin } from './free-slot-relations.ts';
import { InflectionPlugin } from './inflection.ts';
import { NewestFirstPlugin } from './newest-first.ts';
import { NotificationsChangedPlugin } from './notifications-changed.ts';
import { RowByIdPlugin } from './row-by-id.ts';
import { SlotsChangedPlugin } from './slots-changed.ts';
import { SmartTagsPlugin } from './smart-tags.ts';
import { StageAlertsChangedPlugin } from './stage-alerts-changed.ts';

/**
 * The GraphQL schema, made from the tables and functions of `app_public` that the server's login can
 * reach: reading by tables and functions, writing by functions alone. A fault while it is built ends
 * the start; a schema with holes is not served.
 */
export const SchemaPreset: GraphileConfig.Preset = {
  extends: [
    PostGraphileAmberPreset,
    PgSimplifyInflectionPreset,
    PostGraphileConnectionFilterPreset,
  ],
  plugins: [
    InflectionPlugin,
    SmartTagsPlugin,
    DescriptionsPlugin,
    RowByIdPlugin,
    NewestFirstPlugin,
    FreeSlotRelationsPlugin,
    CheckOfFindingPlugin,
    CalendarFeedUrlPlugin,
    SlotsChangedPlugin,
    NotificationsChangedPlugin,
    StageAlertsChangedPlugin,
  ],
  disablePlugins: [
    'SwallowErrorsPlugin',
    'NodePlugin',
    'PgConditionArgumentPlugin',
    'PgIndexBehaviorsPlugin',
    'PgConnectionArgFilterBackwardRelationsPlugin',
    'PgConnectionArgFilterForwardRelationsPlugin',
  ],
  gather: { pgStrictFunctions: true },
  schema: {
    defaultBehavior:
      '-resource:insert -resource:update -resource:delete -attribute:filterBy -attribute:orderBy -resource:list -query:resource:single',
    connectionFilterArrays: false,
    connectionFilterComputedColumns: false,
    connectionFilterSetofFunctions: true,
  },
};
