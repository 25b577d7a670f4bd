-- A report may come for a message whose provider id was lost in a crash. The phones of its number are kept (ids, not the number),
-- so that the one open `unknown` message of that phone can be settled later.
alter table delivery_reports add column phone_ids uuid[];
create index delivery_reports_recent_unmatched_idx on delivery_reports (received_at) where matched_at is null;
