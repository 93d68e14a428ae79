-- Fixed widths first, so that no row is padded; no constraint on the connection, see the model.
CREATE TABLE sync_insight (
    connection_id uuid NOT NULL,
    run_id uuid NOT NULL,
    updated_at timestamptz NOT NULL,
    impressions bigint NOT NULL,
    clicks bigint NOT NULL,
    spend_micros bigint NOT NULL,
    conversion_value_micros bigint NOT NULL,
    reach bigint,
    video_views bigint,
    day date NOT NULL,
    level varchar(10) NOT NULL,
    external_id varchar(80) NOT NULL,
    campaign_external_id varchar(80) NOT NULL,
    ad_group_external_id varchar(80) NOT NULL,
    currency varchar(3) NOT NULL,
    attribution varchar(40) NOT NULL,
    conversions numeric(24, 6) NOT NULL,
    conversions_by_type jsonb NOT NULL,
    extra jsonb NOT NULL,
    PRIMARY KEY (connection_id, level, day, external_id)
) PARTITION BY RANGE (day);
