-- The relay is woken at commit instead of polling fast; the payload says nothing.
create function outbox_announce() returns trigger language plpgsql as $$
begin
  perform pg_notify('tama_outbox', '');
  return null;
end $$;
create trigger messages_announce after insert on messages for each statement execute function outbox_announce();
