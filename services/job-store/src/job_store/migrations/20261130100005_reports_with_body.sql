-- migrate:up transaction:false
-- Reports that still hold what KIE sent, the oldest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS reports_with_body ON sendonce.reports (applied_at) WHERE body_gone_at IS NULL;

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS sendonce.reports_with_body;
