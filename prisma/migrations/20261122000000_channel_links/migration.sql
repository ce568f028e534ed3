-- The epoch of the entry that made the link, or ended it; the rest only while there is one.
ALTER TABLE "channel" ADD COLUMN "link_epoch" BIGINT,
    ADD COLUMN "link_hash" BYTEA,
    ADD COLUMN "link_preview" BYTEA;
