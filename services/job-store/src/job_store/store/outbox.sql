-- claim_outbox --
UPDATE outbox SET leased_until = now() + interval '10 seconds'
WHERE id IN (
    SELECT id FROM outbox WHERE leased_until < now() ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, subject, msg_id, payload, trace

-- delete_outbox --
DELETE FROM outbox WHERE id = ANY($1::bigint[])

-- release_outbox --
UPDATE outbox SET leased_until = now() WHERE id = ANY($1::bigint[])
