-- ended_with_prompt --
-- Of ended jobs only those that are quite over: nothing of theirs is to be called any more.
SELECT id FROM jobs j
WHERE ended_at < now() - $1::interval AND prompt_gone_at IS NULL
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.state IN ('pending', 'acting'))
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- ended_with_media --
SELECT id FROM jobs j
WHERE ended_at < now() - $1::interval AND media_gone_at IS NULL
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.state IN ('pending', 'acting'))
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- waiting_too_long --
-- Results that wait for a user who does not come back, or for a person who does not look.
SELECT id FROM jobs j
WHERE id = ANY(ARRAY(SELECT p.job_id FROM parts p
        WHERE p.state IN ('uncertain', 'parked') AND p.made_at < now() - $1::interval ORDER BY p.made_at LIMIT $2))
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.state IN ('pending', 'acting'))
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY id FOR UPDATE SKIP LOCKED

-- forget_prompts --
-- What no change of a job writes; the rest is written with the job.
UPDATE jobs SET input = '{}', caption = '', caption_entities = '[]', buttons = '[]', prompt_gone_at = now()
WHERE id = ANY($1::uuid[])

-- forget_media --
UPDATE jobs SET media_gone_at = now() WHERE id = ANY($1::uuid[])

-- forget_parts --
UPDATE parts SET url = NULL, text = '', entities = '[]', body = NULL, name = NULL, buttons = '[]'
WHERE job_id = ANY($1::uuid[])

-- forget_words --
-- What others said of it may quote what was asked, and names files.
UPDATE events SET message = message - 'media' - 'error'
WHERE job_id = ANY($1::uuid[]) AND message ?| '{media,error}'

-- forget_outcomes --
UPDATE evidence SET detail = CASE WHEN detail #> '{result,parts}' IS NULL THEN less ELSE jsonb_set(less, '{result,parts}',
        (SELECT jsonb_agg(p - 'file_id') FROM jsonb_array_elements(detail #> '{result,parts}') AS p)) END
FROM (SELECT id AS of, detail #- '{result,reason}' #- '{result,file_id}' AS less FROM evidence
    WHERE job_id = ANY($1::uuid[])) AS lessened
WHERE id = of

-- forget_bodies --
-- It stays a report that can be applied: one that shows nothing, so KIE is asked.
UPDATE reports SET body_gone_at = now(), message = (message - 'headers') || jsonb_build_object(
    'body', '', 'reading', (message -> 'reading') - 'media' - 'error_message' - 'error_code')
WHERE id = ANY($1::text[])

-- old_bodies --
SELECT id FROM reports WHERE body_gone_at IS NULL AND applied_at < now() - $1::interval
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY applied_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- forget_dead_letters --
-- Nobody saw to it in all that time: then it needs nothing.
UPDATE dead_letters SET payload = '', reason = split_part(reason, ':', 1),
    settled_at = coalesce(settled_at, now()), settled_as = coalesce(settled_as, 'discarded')
WHERE at < now() - $1::interval AND payload <> '' AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)

-- forget_chats --
UPDATE jobs SET forgotten_at = now() WHERE id = ANY($1::uuid[])

-- forget_carriers --
DELETE FROM carriers WHERE part_id IN (SELECT id FROM parts WHERE job_id = ANY($1::uuid[]))

-- forget_event_chats --
UPDATE events SET message = message - 'chat_id' WHERE job_id = ANY($1::uuid[])

-- forget_outcome_chats --
UPDATE evidence SET detail = detail - 'chat_id' #- '{result,chat_id}' WHERE job_id = ANY($1::uuid[])

-- bodies_of_jobs --
-- Also of the orphans that were theirs.
SELECT r.id FROM reports r WHERE r.job_id = ANY($1::uuid[]) AND r.body_gone_at IS NULL
UNION
SELECT r.id FROM reports r JOIN task_owners t ON t.task_id = r.task_id
WHERE t.job_id = ANY($1::uuid[]) AND r.body_gone_at IS NULL
