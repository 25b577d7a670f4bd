-- An erased SMS or report names no phone any more, so it is outside every programme's policy, and PostgreSQL refuses an update whose new
-- row its writer may not see. These two updates therefore run as the owner, for phones of the programme that is named alone, which must
-- be the caller's own where one was set.
revoke update (programme_id, phone_id, keyword) on inbound_messages from tama_api;
alter policy one_programme on inbound_messages with check (exists (select 1 from phones p where p.id = phone_id));
revoke update (phone_ids) on delivery_reports from tama_api;
alter policy one_programme on delivery_reports with check (false);

create function own_phones(programme uuid, wanted uuid[]) returns uuid[] language sql stable as $$
  select array(select p.id from phones p
                where p.id = any (wanted) and p.programme_id = programme and programme = coalesce(tama_programme(), programme))
$$;
create function forget_inbound(programme uuid, wanted uuid[]) returns setof uuid language sql security definer as $$
  update inbound_messages set programme_id = null, phone_id = null, keyword = null
   where phone_id = any (own_phones(programme, wanted)) returning id
$$;
create function forget_reports(programme uuid, wanted uuid[]) returns setof bigint language sql security definer as $$
  update delivery_reports set phone_ids = array(select id from unnest(phone_ids) id where id <> all (own_phones(programme, wanted)))
   where phone_ids && own_phones(programme, wanted) returning id
$$;
do $$
declare signature text;
begin
  foreach signature in array array['forget_inbound(uuid, uuid[])', 'forget_reports(uuid, uuid[])'] loop
    execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', signature, current_schema());
    execute format('revoke execute on function %s from public', signature);
    execute format('grant execute on function %s to tama_api', signature);
  end loop;
end $$;
