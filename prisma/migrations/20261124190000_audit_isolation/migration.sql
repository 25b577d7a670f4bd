-- The audit log of the HTTP API's own changes (see 20261124104100_programme_isolation): a programme reads and extends its own chain. Its
-- seal is set by the table's owner at commit, so the API may change no row, nor see where a chain ends.
select isolate_rows('audit_log', 'programme_id = tama_programme()', 'select, insert');
do $$
begin
  execute format('alter function audit_seal() security definer set search_path = pg_catalog, %I, pg_temp', current_schema());
end $$;
