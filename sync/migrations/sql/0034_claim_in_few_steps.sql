-- The claim in 8 statements instead of 14: each costs a start and an end of the executor, and there the
-- time went. What a start does to its lane is one statement, of the trigger that counts it.

-- A run left its lane to run: it is counted out, its account is charged one turn (shared between the
-- account's kinds), and the class's virtual time follows.
CREATE FUNCTION sync_start_in_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Locked before they are computed: the next statement sees what others committed meanwhile.
    PERFORM FROM sync_queue queue JOIN sync_lane lane ON lane.queue_id = queue.id
        WHERE queue.provider = NEW.provider AND queue.region = NEW.region AND lane.account_id = NEW.account_id
        ORDER BY lane.id FOR UPDATE OF lane;
    WITH started AS (
        SELECT queue.id AS queue_id, lane.tag, GREATEST(lane.tag, queue.virtual_times[NEW.rank + 1]) AS begun
        FROM sync_queue queue JOIN sync_lane lane ON lane.queue_id = queue.id
        WHERE queue.provider = NEW.provider AND queue.region = NEW.region
          AND lane.account_id = NEW.account_id AND lane.kind = NEW.kind AND lane.rank = NEW.rank
    ), account AS (
        SELECT account.paused_at IS NULL AS is_open, sync_turn(plan.weight) AS turn
        FROM sync_account account LEFT JOIN sync_plan plan ON plan.id = account.plan_id
        WHERE account.id = NEW.account_id
    ), charged AS (
        UPDATE sync_lane lane
        SET tag = started.begun + account.turn,
            waiting = lane.waiting - (lane.kind = NEW.kind)::integer,
            head_at = CASE WHEN lane.kind <> NEW.kind THEN lane.head_at WHEN account.is_open THEN (
                SELECT run.queued_at FROM sync_syncrun run
                WHERE run.provider = NEW.provider AND run.region = NEW.region
                  AND run.account_id = NEW.account_id AND run.kind = NEW.kind AND run.rank = NEW.rank
                  AND run.state = 'queued' AND NOT run.is_held
                ORDER BY run.queued_at LIMIT 1) END
        FROM started, account
        WHERE lane.queue_id = started.queue_id AND lane.account_id = NEW.account_id AND lane.rank = NEW.rank
    )
    UPDATE sync_queue queue
    SET virtual_times[NEW.rank + 1] = GREATEST(queue.virtual_times[NEW.rank + 1], started.tag)
    FROM started WHERE queue.id = started.queue_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION sync_keep_lanes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, OLD.is_held, OLD.rank, OLD.kind, OLD.queued_at, OLD.account_id)
            IS NOT DISTINCT FROM (NEW.state, NEW.is_held, NEW.rank, NEW.kind, NEW.queued_at, NEW.account_id) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' AND NOT OLD.is_held THEN
        PERFORM sync_count_in_lane(OLD, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' AND NOT NEW.is_held THEN
        PERFORM sync_count_in_lane(NEW, 1);
    END IF;
    RETURN NULL;
END $$;

-- Their conditions are short, and they are asked only where a column of theirs is set: the server reads
-- the text of each anew in every statement.
DROP TRIGGER sync_keep_lanes_update ON sync_syncrun;
CREATE TRIGGER sync_keep_lanes_update
    AFTER UPDATE OF state, is_held, rank, kind, queued_at, account_id, priority ON sync_syncrun
    FOR EACH ROW WHEN (NEW.state <> 'running' AND (OLD.state = 'queued' OR NEW.state = 'queued'))
    EXECUTE FUNCTION sync_keep_lanes();
CREATE TRIGGER sync_start_in_lane AFTER UPDATE OF state ON sync_syncrun
    FOR EACH ROW WHEN (NEW.state = 'running' AND OLD.state = 'queued' AND NOT OLD.is_held)
    EXECUTE FUNCTION sync_start_in_lane();
DROP TRIGGER sync_rank_run ON sync_syncrun;
CREATE TRIGGER sync_rank_new_run BEFORE INSERT ON sync_syncrun
    FOR EACH ROW EXECUTE FUNCTION sync_rank_run();
CREATE TRIGGER sync_rank_run BEFORE UPDATE OF state, priority, queued_at ON sync_syncrun
    FOR EACH ROW WHEN (NEW.state = 'queued' OR NEW.priority <> OLD.priority) EXECUTE FUNCTION sync_rank_run();

-- Start a run under the lease `token`; false when somebody just joins or cancels it, or a condition is in the
-- way: one that a race left unheld is held.
CREATE FUNCTION sync_start(of_run uuid, by_worker text, lease interval, token uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    is_free boolean;
BEGIN
    SELECT EXISTS (
            SELECT FROM sync_connection connection
            JOIN sync_credential credential ON credential.id = connection.credential_id
            WHERE connection.id = waits.connection_id AND connection.status = 'active'
              AND connection.paused_at IS NULL AND credential.status = 'active')
        INTO is_free FROM sync_syncrun waits
        WHERE waits.id = of_run AND waits.state = 'queued' AND NOT waits.is_held FOR UPDATE SKIP LOCKED;
    IF is_free THEN
        UPDATE sync_syncrun
        SET state = 'running', started_at = COALESCE(started_at, clock_timestamp()), lease_token = token,
            lease_expires_at = clock_timestamp() + lease, worker = by_worker,
            starts_without_progress = starts_without_progress + 1
        WHERE id = of_run;
        INSERT INTO sync_syncattempt (run_id, lease_token, worker, started_at, outcome, calls,
                                      error_category, error_code, platform_code, message, trace_id)
        VALUES (of_run, token, by_worker, clock_timestamp(), '', 0, '', '', '', '', '');
        RETURN true;
    ELSIF NOT is_free THEN
        UPDATE sync_syncrun SET is_held = true WHERE id = of_run;
    END IF;
    RETURN false;
END $$;

-- Start the best run of a queue under the lease `token`, and return its id; NULL when nothing may start or no
-- slot is free.
--
-- The queue's row stays locked to the commit, so over all machines the order is exact and no slot is given
-- twice. Start-time fair queueing: the least tag of the best class starts (see `sync_start_in_lane`).
CREATE FUNCTION sync_claim(of_provider text, of_region text, by_worker text, lease interval, token uuid)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    queue record;
    now_in_use record;
    best record;
    kinds text[] := ARRAY['campaigns', 'ads', 'insights'];
    moment timestamptz;
BEGIN
    SELECT id, concurrency, paused_at INTO queue
        FROM sync_queue WHERE provider = of_provider AND region = of_region FOR NO KEY UPDATE;
    IF NOT FOUND OR queue.paused_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    moment := clock_timestamp();  -- behind the lock
    SELECT (SELECT count(*) FROM sync_syncrun
            WHERE provider = of_provider AND region = of_region AND state = 'running') AS slots,
        (SELECT available_at FROM sync_syncrun
         WHERE provider = of_provider AND region = of_region AND state = 'deferred'
         ORDER BY available_at LIMIT 1) <= moment IS TRUE OR
        (SELECT rises_at FROM sync_syncrun
         WHERE provider = of_provider AND region = of_region AND state = 'queued' AND NOT is_held AND rank > 0
         ORDER BY rises_at LIMIT 1) <= moment IS TRUE AS something_ripens,
        EXISTS (SELECT FROM sync_kindlimit WHERE region = of_region) AS kinds_are_limited
        INTO now_in_use;
    IF now_in_use.slots >= queue.concurrency THEN
        RETURN NULL;
    END IF;
    IF now_in_use.kinds_are_limited THEN
        kinds := sync_kinds_with_room(of_region);
    END IF;
    IF now_in_use.something_ripens THEN
        PERFORM sync_ripen(of_provider, of_region, 100);
    END IF;

    -- Mostly the head of each kind's first lane may start: then the best of them is the best of all.
    SELECT head.id, head.must_wait INTO best
    FROM unnest(kinds) AS one_kind
    CROSS JOIN LATERAL (
        SELECT account_id, kind, rank, tag FROM sync_lane
        WHERE queue_id = queue.id AND kind = one_kind AND head_at IS NOT NULL
        ORDER BY rank, tag, head_at, account_id LIMIT 1) lane
    CROSS JOIN LATERAL (
        SELECT waits.id, waits.queued_at,
            EXISTS (SELECT FROM sync_syncrun other
                    WHERE other.connection_id = waits.connection_id AND other.state = 'running') AS must_wait
        FROM sync_syncrun waits
        WHERE waits.provider = of_provider AND waits.region = of_region
          AND waits.account_id = lane.account_id AND waits.kind = lane.kind AND waits.rank = lane.rank
          AND waits.state = 'queued' AND NOT waits.is_held
        ORDER BY waits.queued_at, waits.id LIMIT 1) head
    ORDER BY head.must_wait DESC, lane.rank, lane.tag, head.queued_at, lane.account_id, head.id LIMIT 1;
    IF best.must_wait IS FALSE AND sync_start(best.id, by_worker, lease, token) THEN
        RETURN best.id;
    END IF;

    FOR best IN
        -- Of the first lanes, at most as many as there are slots in use may have a head whose connection is
        -- running: with one more, the first that may start is among them. Two further lanes, and three runs of
        -- each, are for those that somebody holds just now.
        SELECT due.id
        FROM unnest(kinds) AS one_kind
        CROSS JOIN LATERAL (
            SELECT account_id, kind, rank, tag FROM sync_lane
            WHERE queue_id = queue.id AND kind = one_kind AND head_at IS NOT NULL
            ORDER BY rank, tag, head_at, account_id LIMIT now_in_use.slots + 3) lane
        CROSS JOIN LATERAL (
            SELECT waits.id, waits.queued_at FROM sync_syncrun waits
            WHERE waits.provider = of_provider AND waits.region = of_region
              AND waits.account_id = lane.account_id AND waits.kind = lane.kind AND waits.rank = lane.rank
              AND waits.state = 'queued' AND NOT waits.is_held
              AND NOT EXISTS (SELECT FROM sync_syncrun other
                              WHERE other.connection_id = waits.connection_id AND other.state = 'running')
            ORDER BY waits.queued_at, waits.id LIMIT 3) due
        ORDER BY lane.rank, lane.tag, due.queued_at, lane.account_id, due.id
    LOOP
        IF sync_start(best.id, by_worker, lease, token) THEN
            RETURN best.id;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- For workers of the version before, until they are replaced.
CREATE OR REPLACE FUNCTION sync_claim(of_provider text, of_region text, by_worker text, lease interval)
RETURNS SETOF sync_syncrun LANGUAGE plpgsql AS $$
DECLARE
    claimed uuid := sync_claim(of_provider, of_region, by_worker, lease, gen_random_uuid());
BEGIN
    RETURN QUERY SELECT * FROM sync_syncrun WHERE id = claimed;
END $$;
