-- Members are found by how a number, an alias or a name begins, whatever capitals and accents are typed. Under row-level security an index
-- serves only what cannot leak: a comparison of a column as it stands ("^@"), which is why the plain forms are columns. Prisma knows no
-- generated columns. The collation is PostgreSQL's own: small letters are the same on every server.
create function plain_form(words text) returns text language sql immutable strict parallel safe
  return lower(regexp_replace(normalize(words, nfkd), '[\u0300-\u036f]', '', 'g') collate pg_c_utf8);

alter table members
  add column plain_number text generated always as (plain_form(number)) stored,
  add column plain_alias text generated always as (plain_form(alias)) stored,
  add column plain_name text generated always as (plain_form(first_name || ' ' || last_name)) stored,
  add column plain_reversed text generated always as (plain_form(last_name || ' ' || first_name)) stored;

create index members_plain_number on members (programme_id, plain_number text_pattern_ops) where erased_at is null;
create index members_plain_alias on members (programme_id, plain_alias text_pattern_ops) where erased_at is null;
create index members_plain_name on members (programme_id, plain_name text_pattern_ops) where erased_at is null;
create index members_plain_reversed on members (programme_id, plain_reversed text_pattern_ops) where erased_at is null;
-- As the console lists them.
create index members_by_name on members (programme_id, last_name, first_name, number) where erased_at is null;

-- An import of meetings knows by it which it wrote before and somebody moved since.
create index former_meetings_group on former_rows ((was->>'group_id')) where relation = 'meetings';
