-- The audit log of the HTTP API's own changes (see 20261124104100_programme_isolation): a programme reads and extends its own chain. The
-- seal of a row, set at its commit, is an update; what else could be changed, the log's own trigger refuses.
select isolate_rows('audit_log', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('audit_heads', 'programme_id = tama_programme()', 'select, insert, update');
