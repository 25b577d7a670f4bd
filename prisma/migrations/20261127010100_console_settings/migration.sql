-- More of the programme that an administrator may change in the console: what a segment costs, free days, and who answers which request.
grant update (segment_price, segment_currency, holidays, case_rules) on programmes to tama_api;
