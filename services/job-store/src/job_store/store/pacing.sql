-- make_buckets --
INSERT INTO pacing (key, tat) SELECT unnest($1::text[]), 'epoch' ORDER BY 1 ON CONFLICT DO NOTHING

-- lock_buckets --
SELECT * FROM pacing WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE

-- save_buckets --
UPDATE pacing p SET tat = n.tat, tail = n.tail, parked_until = n.parked_until, needs_owner = n.needs_owner,
    credits = n.credits
FROM jsonb_populate_recordset(NULL::pacing, $1) n WHERE p.key = n.key

-- forget_buckets --
DELETE FROM pacing WHERE key IN (
    SELECT key FROM pacing WHERE tat < now() - interval '1 hour'
        AND (parked_until IS NULL OR parked_until < now()) AND (tail IS NULL OR tail < now())
    ORDER BY key FOR UPDATE SKIP LOCKED)

-- paused_accounts --
SELECT key, needs_owner, parked_until FROM pacing
WHERE needs_owner IS NOT NULL AND parked_until > now() AND key = ANY($1::text[])
