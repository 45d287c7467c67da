-- Made from the catalog, so that every foreign key is in it; the function says which others are.
select app_private.rebuild_orphaned_row();

comment on view checks.orphaned_row is 'Rows that refer to a row that does not exist.';
revoke all on checks.orphaned_row from public;
grant select on checks.orphaned_row to app_monitor;

select app_private.declare_check(
  name => 'orphaned_row', domain => 'references', severity => 'critical', entity_type => 'row',
  title => 'Row whose reference leads nowhere',
  meaning => 'A row refers to another row that does not exist. Who is nearest to it is told, not all that hangs on it: of a doctor who is gone the schedules, and not every slot and visit.',
  importance => 'Nothing can be said of a visit whose patient, doctor or slot is gone, and whoever reads it fails or leaves it out. Foreign keys forbid it: one was off, or a restore was partial.',
  resolution => 'Look at missing_guard and unenforced_foreign_key first. Bring the missing row back from a backup; where it was rightly removed, remove what refers to it.',
  remedy => 'review');
