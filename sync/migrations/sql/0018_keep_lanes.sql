-- Lanes: one row per queue, account, kind and class, kept by triggers, so that a claim reads one
-- index entry and not what waits. Nobody else writes them but the claim, which charges their tags.
--
-- Locks are taken in one order: account, connection, credential, queue, run, lane; the lanes of an
-- account by id. Whoever changes several runs locks them all first.

-- Whether a condition keeps a connection's runs from starting (an account's pause empties its lanes).
CREATE FUNCTION sync_is_held(held_connection uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT connection.status <> 'active' OR connection.paused_at IS NOT NULL OR credential.status <> 'active'
    FROM sync_connection connection JOIN sync_credential credential ON credential.id = connection.credential_id
    WHERE connection.id = held_connection
$$;

-- The class of a priority: manual 0, scheduled 1, retry 2.
CREATE FUNCTION sync_class(priority integer) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
    SELECT (CASE priority WHEN 1 THEN 0 WHEN 5 THEN 1 ELSE 2 END)::smallint
$$;

-- What a start costs an account: divisible by every weight to 10, so that their tags meet exactly.
CREATE FUNCTION sync_turn(weight integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT 5040000::bigint / COALESCE(weight, 1)
$$;

-- A run that enters the queue has its priority's class, and rises when its patience is over; a raised
-- priority raises any run's.
CREATE FUNCTION sync_rank_run() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    patience integer;
BEGIN
    IF TG_OP = 'INSERT' OR OLD.priority <> NEW.priority OR OLD.state <> NEW.state AND NEW.state = 'queued' THEN
        NEW.rank := sync_class(NEW.priority);
    END IF;
    IF NEW.state = 'queued' AND (TG_OP = 'INSERT' OR (OLD.state, OLD.priority, OLD.queued_at)
                                 IS DISTINCT FROM (NEW.state, NEW.priority, NEW.queued_at)) THEN
        -- people who ask for one sync are less patient than those who ask for all
        SELECT CASE WHEN NEW.trigger = 'manual' AND NEW.priority <> 5 THEN queue.manual_patience
               ELSE queue.patience END INTO STRICT patience
        FROM sync_queue queue WHERE provider = NEW.provider AND region = NEW.region;
        NEW.rises_at := CASE WHEN NEW.rank > 0 THEN NEW.queued_at + make_interval(secs => patience) END;
        NEW.is_held := sync_is_held(NEW.connection_id);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER sync_rank_run BEFORE INSERT OR UPDATE OF state, priority, queued_at ON sync_syncrun
    FOR EACH ROW EXECUTE FUNCTION sync_rank_run();

-- When the oldest run of a lane that may start became due; NULL when none may.
CREATE FUNCTION sync_lane_head(lane sync_lane, queue sync_queue) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT run.queued_at
    FROM sync_syncrun run
    WHERE run.provider = queue.provider AND run.region = queue.region AND run.account_id = lane.account_id
      AND run.kind = lane.kind AND run.rank = lane.rank AND run.state = 'queued' AND NOT run.is_held
      AND (SELECT paused_at IS NULL FROM sync_account WHERE id = lane.account_id)
    ORDER BY run.queued_at LIMIT 1
$$;

-- Bring one account's lanes up to date. A lane that was empty is lifted to its class's virtual time:
-- nobody saves up turns by silence, a pause or a deferral.
CREATE FUNCTION sync_refresh_lanes(of_queue bigint, of_account uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE sync_lane lane
    SET head_at = fresh.head_at,
        tag = CASE WHEN lane.head_at IS NULL AND fresh.head_at IS NOT NULL
              THEN GREATEST(lane.tag, queue.virtual_times[lane.rank + 1]) ELSE lane.tag END
    FROM (SELECT one.id, sync_lane_head(one, of) AS head_at FROM sync_lane one, sync_queue of
          WHERE of.id = of_queue AND one.queue_id = of_queue AND one.account_id = of_account) fresh,
        sync_queue queue
    WHERE lane.id = fresh.id AND queue.id = of_queue AND lane.head_at IS DISTINCT FROM fresh.head_at
$$;

-- One run came into its lane (1) or left it (-1).
CREATE FUNCTION sync_count_in_lane(run sync_syncrun, change integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    queue sync_queue;
BEGIN
    SELECT * INTO STRICT queue FROM sync_queue WHERE provider = run.provider AND region = run.region;
    -- Locked before they are computed: the next statement sees what others committed meanwhile.
    PERFORM 1 FROM sync_lane WHERE queue_id = queue.id AND account_id = run.account_id ORDER BY id FOR UPDATE;
    UPDATE sync_lane lane
    SET waiting = lane.waiting + change,
        head_at = sync_lane_head(lane, queue),
        tag = CASE WHEN lane.head_at IS NULL
              THEN GREATEST(lane.tag, queue.virtual_times[lane.rank + 1]) ELSE lane.tag END
    WHERE queue_id = queue.id AND account_id = run.account_id AND kind = run.kind AND rank = run.rank;
    IF NOT FOUND AND change > 0 THEN  -- else the account is being deleted, its lanes first
        INSERT INTO sync_lane (queue_id, account_id, kind, rank, tag, waiting, head_at)
        VALUES (queue.id, run.account_id, run.kind, run.rank, queue.virtual_times[run.rank + 1], 0, NULL)
        ON CONFLICT DO NOTHING;
        PERFORM sync_count_in_lane(run, change);
    END IF;
END $$;

CREATE FUNCTION sync_keep_lanes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' AND NOT OLD.is_held THEN
        PERFORM sync_count_in_lane(OLD, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' AND NOT NEW.is_held THEN
        PERFORM sync_count_in_lane(NEW, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER sync_keep_lanes_insert AFTER INSERT ON sync_syncrun
    FOR EACH ROW WHEN (NEW.state = 'queued' AND NOT NEW.is_held) EXECUTE FUNCTION sync_keep_lanes();
CREATE TRIGGER sync_keep_lanes_delete AFTER DELETE ON sync_syncrun
    FOR EACH ROW WHEN (OLD.state = 'queued' AND NOT OLD.is_held) EXECUTE FUNCTION sync_keep_lanes();
CREATE TRIGGER sync_keep_lanes_update AFTER UPDATE ON sync_syncrun
    FOR EACH ROW
    WHEN ((OLD.state = 'queued' OR NEW.state = 'queued')
          AND (OLD.state, OLD.is_held, OLD.rank, OLD.kind, OLD.queued_at, OLD.account_id)
              IS DISTINCT FROM (NEW.state, NEW.is_held, NEW.rank, NEW.kind, NEW.queued_at, NEW.account_id))
    EXECUTE FUNCTION sync_keep_lanes();

-- Runs follow the conditions of their connection and its credential. A run that enters the queue at
-- the same moment may miss it: the claim looks again, and `sync_mend_holds` finds the others.
CREATE FUNCTION sync_hold_runs(connections uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    PERFORM 1 FROM sync_syncrun WHERE connection_id = ANY(connections) AND state = 'queued'
        ORDER BY connection_id, id FOR UPDATE;
    UPDATE sync_syncrun SET is_held = NOT is_held
        WHERE connection_id = ANY(connections) AND state = 'queued' AND is_held <> sync_is_held(connection_id);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

CREATE FUNCTION sync_follow_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sync_hold_runs(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE TRIGGER sync_follow_connection AFTER UPDATE OF status, paused_at, credential_id ON sync_connection
    FOR EACH ROW
    WHEN ((OLD.status, OLD.paused_at IS NULL, OLD.credential_id)
          IS DISTINCT FROM (NEW.status, NEW.paused_at IS NULL, NEW.credential_id))
    EXECUTE FUNCTION sync_follow_connection();

CREATE FUNCTION sync_follow_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sync_hold_runs(ARRAY(SELECT id FROM sync_connection WHERE credential_id = NEW.id));
    RETURN NULL;
END $$;

CREATE TRIGGER sync_follow_credential AFTER UPDATE OF status ON sync_credential
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION sync_follow_credential();

CREATE FUNCTION sync_follow_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM sync_lane WHERE account_id = NEW.id ORDER BY id FOR UPDATE;
    PERFORM sync_refresh_lanes(queue.id, NEW.id) FROM sync_queue queue;
    RETURN NULL;
END $$;

CREATE TRIGGER sync_follow_account AFTER UPDATE OF paused_at ON sync_account
    FOR EACH ROW WHEN ((OLD.paused_at IS NULL) IS DISTINCT FROM (NEW.paused_at IS NULL))
    EXECUTE FUNCTION sync_follow_account();

-- Release what a race left held; returns how many runs. One join instead of `sync_is_held` per run: 90,000
-- may be held. What a race left unheld, the claim sees.
CREATE FUNCTION sync_mend_holds() RETURNS integer LANGUAGE sql AS $$
    SELECT sync_hold_runs(ARRAY(
        SELECT DISTINCT run.connection_id
        FROM sync_syncrun run
        JOIN sync_connection connection ON connection.id = run.connection_id
        JOIN sync_credential credential ON credential.id = connection.credential_id
        WHERE run.state = 'queued' AND run.is_held AND connection.status = 'active'
          AND connection.paused_at IS NULL AND credential.status = 'active'))
$$;

-- Count all lanes anew, e.g. after rows were loaded with the triggers off. Writers wait meanwhile.
CREATE FUNCTION sync_rebuild_lanes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE sync_lane IN SHARE ROW EXCLUSIVE MODE;
    UPDATE sync_syncrun SET is_held = NOT is_held
        WHERE state = 'queued' AND is_held <> sync_is_held(connection_id);
    INSERT INTO sync_lane (queue_id, account_id, kind, rank, tag, waiting, head_at)
        SELECT DISTINCT queue.id, run.account_id, run.kind, run.rank, queue.virtual_times[run.rank + 1],
            0, NULL::timestamptz
        FROM sync_syncrun run JOIN sync_queue queue USING (provider, region)
        WHERE run.state = 'queued' AND NOT run.is_held
        ON CONFLICT DO NOTHING;
    UPDATE sync_lane lane SET waiting = counted.waiting, head_at = counted.head_at
    FROM (SELECT one.id, count(run.id) AS waiting, sync_lane_head(one, queue) AS head_at
          FROM sync_lane one JOIN sync_queue queue ON queue.id = one.queue_id
          LEFT JOIN sync_syncrun run ON run.provider = queue.provider AND run.region = queue.region
              AND run.account_id = one.account_id AND run.kind = one.kind AND run.rank = one.rank
              AND run.state = 'queued' AND NOT run.is_held
          GROUP BY one.id, queue.id) counted
    WHERE lane.id = counted.id
      AND (lane.waiting, lane.head_at) IS DISTINCT FROM (counted.waiting, counted.head_at);
END $$;

-- Queue the deferred runs whose time has come, and raise by one class those that waited longer than
-- their patience. Both leave out what somebody else just holds: the next time will do. Returns how many
-- became due.
CREATE FUNCTION sync_ripen(of_provider text, of_region text, at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    promoted integer;
    moment timestamptz := clock_timestamp();
BEGIN
    -- Many accounts' lanes change here: behind the queue's lock, so that no two do it in different orders.
    PERFORM 1 FROM sync_queue WHERE provider = of_provider AND region = of_region FOR NO KEY UPDATE;
    UPDATE sync_syncrun run
    SET state = 'queued', available_at = NULL, defer_reason = '', waiting_for = ''
    FROM (SELECT id FROM sync_syncrun
          WHERE provider = of_provider AND region = of_region AND state = 'deferred' AND available_at <= moment
          ORDER BY available_at LIMIT at_most FOR UPDATE SKIP LOCKED) due
    WHERE run.id = due.id;
    GET DIAGNOSTICS promoted = ROW_COUNT;

    UPDATE sync_syncrun run
    SET rank = run.rank - 1, rises_at = CASE WHEN run.rank > 1 THEN run.rises_at + (run.rises_at - run.queued_at) END
    FROM (SELECT id FROM sync_syncrun
          WHERE provider = of_provider AND region = of_region AND state = 'queued' AND NOT is_held AND rank > 0
            AND rises_at <= moment
          ORDER BY rises_at LIMIT at_most FOR UPDATE SKIP LOCKED) patient
    WHERE run.id = patient.id;
    RETURN promoted;
END $$;

-- Start the best run of a queue and return its row; no row when nothing may start or no slot is free.
--
-- The queue's row stays locked to the commit, so over all machines the order is exact and no slot is
-- given twice. Start-time fair queueing: the least tag of the best class starts, its account is charged
-- one turn (shared between the account's kinds), and the class's virtual time follows.
CREATE FUNCTION sync_claim(of_provider text, of_region text, by_worker text, lease interval)
RETURNS SETOF sync_syncrun LANGUAGE plpgsql AS $$
DECLARE
    queue sync_queue;
    run sync_syncrun;
    best record;
    busy integer;
    missed boolean;
    kinds text[];
BEGIN
    SELECT * INTO queue FROM sync_queue WHERE provider = of_provider AND region = of_region FOR NO KEY UPDATE;
    IF NOT FOUND OR queue.paused_at IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT count(*) INTO busy FROM sync_syncrun
        WHERE provider = of_provider AND region = of_region AND state = 'running';
    IF busy >= queue.concurrency THEN
        RETURN;
    END IF;
    kinds := sync_kinds_with_room(of_region);
    PERFORM sync_ripen(of_provider, of_region, 100);

    FOR best IN
        -- Of the first lanes, at most `busy` may have a head whose connection is running: with one more,
        -- the first that may start is among them. Two further lanes, and three runs of each, are for those
        -- that somebody holds just now.
        SELECT due.id, lane.rank, lane.tag, lane.account_id
        FROM unnest(kinds) AS one_kind
        CROSS JOIN LATERAL (
            SELECT * FROM sync_lane
            WHERE queue_id = queue.id AND kind = one_kind AND head_at IS NOT NULL
            ORDER BY rank, tag, head_at, account_id LIMIT busy + 3) lane
        CROSS JOIN LATERAL (
            SELECT waits.id, waits.queued_at FROM sync_syncrun waits
            WHERE waits.provider = of_provider AND waits.region = of_region AND waits.account_id = lane.account_id
              AND waits.kind = lane.kind AND waits.rank = lane.rank AND waits.state = 'queued' AND NOT waits.is_held
              AND NOT EXISTS (SELECT FROM sync_syncrun other
                              WHERE other.connection_id = waits.connection_id AND other.state = 'running')
            ORDER BY waits.queued_at, waits.id LIMIT 3) due
        ORDER BY lane.rank, lane.tag, due.queued_at, lane.account_id, due.id
    LOOP
        -- One that somebody just joins or cancels is passed over; one that a race left unheld is held.
        SELECT sync_is_held(connection_id) INTO missed FROM sync_syncrun
            WHERE id = best.id AND state = 'queued' FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF missed THEN
            UPDATE sync_syncrun SET is_held = true WHERE id = best.id;
            CONTINUE;
        END IF;

        UPDATE sync_syncrun
        SET state = 'running', started_at = COALESCE(started_at, clock_timestamp()),
            lease_token = gen_random_uuid(), lease_expires_at = clock_timestamp() + lease, worker = by_worker,
            starts_without_progress = starts_without_progress + 1
        WHERE id = best.id RETURNING * INTO run;
        INSERT INTO sync_syncattempt (run_id, lease_token, worker, started_at, outcome, calls,
                                      error_category, error_code, platform_code, message, trace_id)
        VALUES (run.id, run.lease_token, by_worker, clock_timestamp(), '', 0, '', '', '', '', '');
        UPDATE sync_lane
        SET tag = GREATEST(best.tag, queue.virtual_times[best.rank + 1]) + sync_turn(
            (SELECT plan.weight FROM sync_account account JOIN sync_plan plan ON plan.id = account.plan_id
             WHERE account.id = best.account_id))
        WHERE queue_id = queue.id AND account_id = best.account_id AND rank = best.rank;
        UPDATE sync_queue
        SET virtual_times[best.rank + 1] = GREATEST(virtual_times[best.rank + 1], best.tag)
        WHERE id = queue.id;
        RETURN NEXT run;
        RETURN;
    END LOOP;
END $$;

-- The kinds that may start one more run in the region; those without a limit always. Limits are locked
-- to the commit, as they count over all providers.
CREATE FUNCTION sync_kinds_with_room(of_region text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    limited sync_kindlimit;
    kinds text[] := ARRAY['campaigns', 'ads', 'insights'];
BEGIN
    FOR limited IN SELECT * FROM sync_kindlimit WHERE region = of_region ORDER BY kind FOR NO KEY UPDATE LOOP
        IF (SELECT count(*) FROM sync_syncrun
            WHERE region = of_region AND kind = limited.kind AND state = 'running') >= limited.concurrency THEN
            kinds := array_remove(kinds, limited.kind::text);
        END IF;
    END LOOP;
    RETURN kinds;
END $$;
