-- Back to the claim of 0018.
DROP TRIGGER sync_start_in_lane ON sync_syncrun;
DROP TRIGGER sync_keep_lanes_update ON sync_syncrun;
DROP TRIGGER sync_rank_new_run ON sync_syncrun;
DROP TRIGGER sync_rank_run ON sync_syncrun;
DROP FUNCTION sync_start_in_lane;
DROP FUNCTION sync_claim(text, text, text, interval, uuid);
DROP FUNCTION sync_start;

CREATE OR REPLACE FUNCTION sync_keep_lanes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' AND NOT OLD.is_held THEN
        PERFORM sync_count_in_lane(OLD, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' AND NOT NEW.is_held THEN
        PERFORM sync_count_in_lane(NEW, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER sync_keep_lanes_update AFTER UPDATE ON sync_syncrun
    FOR EACH ROW
    WHEN ((OLD.state = 'queued' OR NEW.state = 'queued')
          AND (OLD.state, OLD.is_held, OLD.rank, OLD.kind, OLD.queued_at, OLD.account_id)
              IS DISTINCT FROM (NEW.state, NEW.is_held, NEW.rank, NEW.kind, NEW.queued_at, NEW.account_id))
    EXECUTE FUNCTION sync_keep_lanes();

CREATE TRIGGER sync_rank_run BEFORE INSERT OR UPDATE OF state, priority, queued_at ON sync_syncrun
    FOR EACH ROW EXECUTE FUNCTION sync_rank_run();

CREATE OR REPLACE FUNCTION sync_claim(of_provider text, of_region text, by_worker text, lease interval)
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
