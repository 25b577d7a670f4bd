-- A schedule that changes through the API may have fewer instalments than before; what was there is kept in former_rows.
grant delete on instalments to tama_api;
