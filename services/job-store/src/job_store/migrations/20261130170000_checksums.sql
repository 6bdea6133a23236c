-- migrate:up

-- What each migration said when it was applied: a file that was edited afterwards is noticed. Those applied
-- before this table are taken as they stand when it is first filled (`migrate up` does it, after dbmate).
CREATE TABLE sendonce.migration_checksums (
    version text PRIMARY KEY,
    sha256  text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    at      timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
DROP TABLE sendonce.migration_checksums;
