-- lock_wallets --
-- After the jobs, in key order.
SELECT w.* FROM wallets w
JOIN jsonb_populate_recordset(NULL::wallets, $1) n USING (bot, user_id, currency)
ORDER BY w.bot, w.user_id, w.currency FOR UPDATE OF w

-- move_wallets --
UPDATE wallets w SET balance = w.balance + n.balance, held = w.held + n.held
FROM jsonb_populate_recordset(NULL::wallets, $1) n
WHERE (w.bot, w.user_id, w.currency) = (n.bot, n.user_id, n.currency)
RETURNING w.user_id

-- insert_transfers --
INSERT INTO ledger (bot, user_id, currency, kind, amount, debit, credit, job_id, refunds)
SELECT n.bot, n.user_id, n.currency, n.kind, n.amount, n.debit, n.credit, n.job_id,
    CASE n.kind WHEN 'refund'
        THEN (SELECT c.id FROM ledger c WHERE c.job_id = n.job_id AND c.kind = 'capture') END
FROM jsonb_populate_recordset(NULL::ledger, $1) n
