-- applied --
SELECT version FROM public.sendonce_migrations ORDER BY version

-- checksums --
SELECT version, sha256 FROM sendonce.migration_checksums

-- has_checksums --
SELECT to_regclass('sendonce.migration_checksums') IS NOT NULL

-- keep_checksums --
INSERT INTO sendonce.migration_checksums (version, sha256)
SELECT v, s FROM unnest($1::text[], $2::text[]) AS n (v, s)
WHERE v IN (SELECT version FROM public.sendonce_migrations)
ON CONFLICT DO NOTHING

-- forget_checksums --
DELETE FROM sendonce.migration_checksums WHERE version NOT IN (SELECT version FROM public.sendonce_migrations)

-- objects --
-- By name, for how a definition is printed differs from one Postgres to the next; NOT NULL stands with its column.
SELECT what FROM (
    SELECT 'table ' || c.relname AS what FROM pg_class c
    WHERE c.relnamespace = 'sendonce'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'sendonce'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT CASE o.contype WHEN 'c' THEN 'check ' WHEN 'f' THEN 'foreign key ' WHEN 'p' THEN 'primary key '
        ELSE 'unique ' END || c.relname || '.' || o.conname
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
    WHERE c.relnamespace = 'sendonce'::regnamespace AND o.contype IN ('c', 'f', 'p', 'u')
    UNION ALL
    SELECT CASE WHEN i.indisunique THEN 'unique index ' ELSE 'index ' END || c.relname
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'sendonce'::regnamespace AND i.indisvalid
    UNION ALL
    -- One that is switched off is as good as gone.
    SELECT 'trigger ' || c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'sendonce'::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
) AS objects ORDER BY what
