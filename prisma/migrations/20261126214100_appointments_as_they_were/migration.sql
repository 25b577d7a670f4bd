-- Prisma knows no triggers: whether an appointment was still on when she was told of it is asked of the case as it was then.
create trigger cases_former after update of status, appointment_at on cases for each row
  when (old.appointment_at is not null and (old.status, old.appointment_at) is distinct from (new.status, new.appointment_at))
  execute function keep_former_row('status', 'appointment_at');
