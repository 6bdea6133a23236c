-- migrate:up

-- Postgres was found older than what had been acknowledged to the bus: nothing is handed out until somebody
-- has had reports and outcomes applied again. At most one is open.
CREATE TABLE sendonce.restores (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at   timestamptz NOT NULL DEFAULT now(),
    durable    text NOT NULL,
    missing    text NOT NULL, -- a message that was acknowledged and is not known
    phase      text NOT NULL DEFAULT 'found' CHECK (phase IN ('found', 'reports', 'outcomes', 'over')),
    resumed_at timestamptz,
    CHECK ((phase = 'over') = (resumed_at IS NOT NULL))
);
CREATE UNIQUE INDEX restores_open ON sendonce.restores ((true)) WHERE resumed_at IS NULL;

-- migrate:down
DROP TABLE sendonce.restores;
