-- Group roles: nobody logs in as one. Whoever logs in is a member, so that a password is replaced by a second member
-- and no grant is ever given to a person:
--     CREATE ROLE job_store LOGIN PASSWORD '…' IN ROLE sendonce_store;

-- sendonce_store --
CREATE ROLE sendonce_store NOLOGIN

-- sendonce_reader --
CREATE ROLE sendonce_reader NOLOGIN
