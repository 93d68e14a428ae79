-- An account's lanes of a class share its turn: one that was empty takes the tag of those that are not. With
-- one of its own, the first run of a new kind would start before an older one of another kind.
CREATE OR REPLACE FUNCTION sync_count_in_lane(run sync_syncrun, change integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    queue sync_queue;
BEGIN
    SELECT * INTO STRICT queue FROM sync_queue WHERE provider = run.provider AND region = run.region;
    -- Locked before they are computed: the next statement sees what others committed meanwhile.
    PERFORM 1 FROM sync_lane WHERE queue_id = queue.id AND account_id = run.account_id ORDER BY id FOR UPDATE;
    UPDATE sync_lane lane
    SET waiting = lane.waiting + change,
        head_at = sync_lane_head(lane, queue),
        tag = CASE WHEN lane.head_at IS NOT NULL THEN lane.tag ELSE COALESCE(
            (SELECT max(other.tag) FROM sync_lane other
             WHERE other.queue_id = lane.queue_id AND other.account_id = lane.account_id
               AND other.rank = lane.rank AND other.head_at IS NOT NULL),
            GREATEST(lane.tag, queue.virtual_times[lane.rank + 1])) END
    WHERE queue_id = queue.id AND account_id = run.account_id AND kind = run.kind AND rank = run.rank;
    IF NOT FOUND AND change > 0 THEN  -- else the account is being deleted, its lanes first
        INSERT INTO sync_lane (queue_id, account_id, kind, rank, tag, waiting, head_at)
        VALUES (queue.id, run.account_id, run.kind, run.rank, queue.virtual_times[run.rank + 1], 0, NULL)
        ON CONFLICT DO NOTHING;
        PERFORM sync_count_in_lane(run, change);
    END IF;
END $$;
