-- A function keeps the plan that it made while the tables were small: then each entry of an import read all accounts.
-- The checks always ask for a few rows by key, so they are held to index lookups. Prisma does not know functions.
alter function ledger_check_entry() set enable_seqscan = off;
alter function ledger_check_entry() set enable_hashjoin = off;
alter function ledger_check_entry() set enable_mergejoin = off;
alter function ledger_check_postings() set enable_seqscan = off;
alter function ledger_check_postings() set enable_hashjoin = off;
alter function ledger_check_postings() set enable_mergejoin = off;
