-- known_reports --
SELECT id FROM reports WHERE id = ANY($1::text[])

-- vouched_digests --
-- KIE's HMAC does not cover the body: the first body seen with a good signature is the one it vouches for.
SELECT DISTINCT ON (task_id) task_id, digest FROM reports
WHERE task_id = ANY($1::text[]) AND hmac = 'match' ORDER BY task_id, received_at

-- insert_reports --
INSERT INTO reports (id, job_id, task_id, origin, trust, state, digest, hmac, message, received_at)
SELECT * FROM json_to_recordset($1::text::json)
    AS n (id text, job_id uuid, task_id text, origin text, trust text, state text, digest text, hmac text,
    message jsonb, received_at timestamptz)

-- insert_dead_letter --
INSERT INTO dead_letters (durable, subject, stream_seq, payload, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING

-- keep_floor --
-- Also when it is lower: then the stream was made anew.
INSERT INTO floors (durable, stream_seq) SELECT $1, $2
WHERE NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ON CONFLICT (durable) DO UPDATE SET stream_seq = excluded.stream_seq

-- floor --
SELECT stream_seq FROM floors WHERE durable = $1
