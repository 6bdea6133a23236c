-- migrate:up transaction:false
-- Jobs that ended and still hold what was asked, the longest ago first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_with_prompt ON sendonce.jobs (ended_at)
    WHERE ended_at IS NOT NULL AND prompt_gone_at IS NULL;

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS sendonce.jobs_with_prompt;
