-- migrate:up transaction:false
-- A user's jobs, those that have not ended first found: what is open is counted, and a user can be forgotten.
-- Alone in its file: a statement with company would be a transaction.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_of_user ON sendonce.jobs (bot, user_id, ended_at);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS sendonce.jobs_of_user;
