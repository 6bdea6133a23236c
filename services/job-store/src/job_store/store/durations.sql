-- usual --
-- Half of them take no longer than the first, nine in ten no longer than the second.
SELECT family, operation, model,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS expected,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS late
FROM durations WHERE at > now() - $1::interval
GROUP BY family, operation, model HAVING count(*) >= $2

-- trim_durations --
DELETE FROM durations WHERE ctid IN (
    SELECT ctid FROM (
        SELECT ctid, row_number() OVER (PARTITION BY family, operation, model ORDER BY at DESC) AS no
        FROM durations) AS newest_first
    WHERE no > $1)
