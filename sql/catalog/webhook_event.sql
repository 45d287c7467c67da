-- What a webhook subscription can be told of. Which change of an appointment is which event stands in
-- the worker (webhook-events.ts).
with wanted (name, description) as (
  values
    ('appointment.requested', 'Somebody asks for an appointment'),
    ('appointment.held', 'A seat is held'),
    ('appointment.booked', 'An appointment is booked, or a missed one is restored'),
    ('appointment.confirmed', 'An appointment is confirmed'),
    ('appointment.moved', 'An appointment has another slot'),
    ('appointment.cancelled', 'An appointment is cancelled, or a request is declined or withdrawn'),
    ('appointment.checked_in', 'A patient has arrived'),
    ('appointment.completed', 'A visit is completed'),
    ('appointment.no_show', 'Nobody came to a visit'),
    ('appointment.expired', 'A hold or a request has expired')
), removed as (
  delete from app_public.webhook_event where webhook_event.name not in (select wanted.name from wanted)
)
insert into app_public.webhook_event (name, description)
select name, description
from wanted
on conflict on constraint webhook_event_pkey do update
set description = excluded.description
where webhook_event.description is distinct from excluded.description;
