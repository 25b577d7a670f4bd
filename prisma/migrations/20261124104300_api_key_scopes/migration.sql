-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN "scopes" TEXT[], ADD COLUMN "last_used_on" DATE;

-- Keys that were made before may go on doing what the API let them do then.
update api_keys set scopes = '{read,entries}';
alter table api_keys add constraint api_keys_scopes_known
  check (scopes is not null and scopes <@ array['read', 'entries', 'members', 'programme']);
