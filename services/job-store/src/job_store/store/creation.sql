-- jobs_by_key --
SELECT id, bot, key, digest FROM jobs
WHERE (bot, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- status_messages_taken --
SELECT bot, chat_id, status_message_id AS message_id FROM jobs
WHERE (bot, chat_id, status_message_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]))
UNION
SELECT bot, chat_id, message_id FROM carriers
WHERE (bot, chat_id, message_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]))

-- now --
SELECT now()
