-- migrate:up

-- W3C trace contexts of causes: what is sent or done later still belongs to what made it due.
ALTER TABLE sendonce.outbox ADD COLUMN trace text;
ALTER TABLE sendonce.effects ADD COLUMN trace text;

-- migrate:down
ALTER TABLE sendonce.effects DROP COLUMN trace;
ALTER TABLE sendonce.outbox DROP COLUMN trace;
