-- lock_bot --
SELECT slug, pauses, kie_account, token_ref FROM bots WHERE slug = $1 FOR UPDATE

-- set_pauses --
UPDATE bots SET pauses = $2 WHERE slug = $1

-- unpark --
-- What KIE or Telegram asked for is over when an operator says so, and so is the queue behind it.
UPDATE pacing SET parked_until = NULL, needs_owner = NULL, tail = NULL WHERE key = ANY($1::text[])

-- leave_queues --
-- Who stood in line behind the stop had taken a place in the queue of each narrower bucket too.
UPDATE pacing SET tail = NULL WHERE key LIKE ANY($1::text[]) AND tail > now()

-- lock_waiting --
-- Who is putting one of them off at this moment is waited for: a later time written after the release would stand.
SELECT j.id FROM jobs j
WHERE j.bot = $1 AND EXISTS (
    SELECT FROM effects e WHERE e.job_id = j.id AND e.kind = ANY($2::text[]) AND e.state = 'pending')
ORDER BY j.id FOR UPDATE OF j

-- release --
UPDATE effects e SET due_at = now(), queued = false FROM jobs j
WHERE j.id = e.job_id AND j.bot = $1 AND e.kind = ANY($2::text[]) AND e.state = 'pending' AND e.due_at > now()
RETURNING e.id
