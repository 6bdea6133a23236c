-- list_dead --
SELECT id, at, durable, subject, stream_seq, reason, length(payload) AS size, settled_as, settled_at FROM dead_letters
WHERE ($1 OR settled_at IS NULL) AND ($2::text IS NULL OR strpos(reason, $2) > 0)
    AND ($3::bigint IS NULL OR id >= $3) AND ($4::bigint IS NULL OR id <= $4)
ORDER BY id DESC LIMIT $5

-- dead_letter --
SELECT id, at, durable, subject, stream_seq, reason, length(payload) AS size, settled_as, settled_at, payload
FROM dead_letters WHERE id = $1

-- lock_dead --
SELECT id, subject, payload, settled_as FROM dead_letters WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE

-- settle_dead --
UPDATE dead_letters SET settled_at = now(), settled_as = $2 WHERE id = ANY($1::bigint[])
