-- The state machine of appointments. staff: doctor (own), nurse, receptionist, admin.
-- Own, for patients and doctors, is a matter of row-level security.
with wanted (from_status, to_status, roles) as (
  values
    (null, 'requested', '{patient,doctor,nurse,receptionist,admin,worker}'),
    (null, 'held', '{patient,doctor,nurse,receptionist,admin,worker}'),
    (null, 'scheduled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('requested', 'held', '{doctor,receptionist,admin}'),
    ('requested', 'scheduled', '{doctor,receptionist,admin}'),
    ('requested', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('requested', 'expired', '{worker}'),
    ('held', 'scheduled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('held', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('held', 'expired', '{worker}'),
    ('scheduled', 'confirmed', '{patient,doctor,nurse,receptionist,admin}'),
    ('scheduled', 'checked_in', '{doctor,nurse,receptionist,admin}'),
    ('scheduled', 'completed', '{doctor}'),
    ('scheduled', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('scheduled', 'no_show', '{doctor,nurse,receptionist,admin,worker}'),
    ('confirmed', 'checked_in', '{doctor,nurse,receptionist,admin}'),
    ('confirmed', 'completed', '{doctor}'),
    ('confirmed', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('confirmed', 'no_show', '{doctor,nurse,receptionist,admin,worker}'),
    ('checked_in', 'in_progress', '{doctor}'),
    ('checked_in', 'completed', '{doctor}'),
    ('in_progress', 'completed', '{doctor}'),
    ('no_show', 'scheduled', '{admin}'),
    ('no_show', 'confirmed', '{admin}'),
    ('no_show', 'checked_in', '{admin}'),
    -- Only by the consultation that was abandoned; see visits/guard_open_consultation.
    ('in_progress', 'checked_in', '{doctor}')
)
insert into app_public.appointment_transition (from_status, to_status, roles)
select from_status::app_public.appointment_status, to_status::app_public.appointment_status, roles::text[]
from wanted
on conflict on constraint a_transition_is_listed_once do update
set roles = excluded.roles
where appointment_transition.roles <> excluded.roles;
