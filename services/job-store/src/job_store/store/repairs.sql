-- job_of_part --
SELECT job_id FROM parts WHERE id = $1

-- uncertain_jobs --
SELECT p.id, p.job_id FROM parts p JOIN jobs j ON j.id = p.job_id
WHERE p.state = 'uncertain' AND ($1::text IS NULL OR j.bot = $1) ORDER BY p.made_at, p.id LIMIT $2

-- jobs_by_keys --
SELECT id, bot, key FROM jobs WHERE (bot, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- expire_these --
UPDATE orphans SET state = 'expired' WHERE id = ANY($1::uuid[]) AND state = 'waiting' RETURNING *
